"""The quiz of notebook 06."""

from course_lib.exercises.exercise import Question

QUESTIONS = (
    Question(
        "When does a recommender that looks ahead earn more than a perfect one that does not?",
        ("If what it shows now changes what it can earn later.",
         "Right. Here bait costs goodwill: that pays for foresight. In the control bait costs nothing, and the oracle "
         "that looks no further is ahead, although sameness bores as before."),
        (("Always: it is the stronger method.", "Without consequences the best choice now is the best choice."),
         ("If its network is larger.", "The oracle without foresight knows every probability. No network predicts what "
                                       "a step earns better; it has to ask for more than that."),
         ("If there are more items.", "More items help both of them.")),
    ),
    Question(
        "A model has learned from a shop's invoices: input is a customer, \"action\" the item bought, \"reward\" the "
        "price. What is wrong?",
        ("Nobody knows what was shown, nor what else could have been bought.",
         "Right. A purchase is an outcome, not an action of the shop. Without impressions there is no counterfactual: "
         "the log can train a model of the next basket, not a policy."),
        (("Prices must be scaled first.", "They might; but there is still no action that the shop took."),
         ("There are too few invoices.", "More of them still show only what was bought."),
         ("A table of Q-values would be enough.", "Of what? Q is the value of an action, and none is in the log.")),
    ),
    Question(
        "Why does a network with one output for each item not solve the cold start?",
        ("The output of a new item has never been trained.",
         "Right. Its weights are still the random ones of the start. A network that reads an item's features has "
         "learned about features, and so about items that it has never met."),
        (("It is too slow.", "It may be fast. It just knows nothing about the new item."),
         ("It needs more layers.", "No layer learns about an item from no data at all."),
         ("It does solve it, after some epochs.", "Then the item is no longer cold.")),
        written=True,
    ),
    Question(
        "Each user's last basket is left out as the test set. What leaks?",
        ("What others bought after that basket is in the training data.",
         "Right. The model knows tomorrow's fashion. Divide at one time for all users."),
        (("Nothing, if users are not shared.", "They are, and that is fine. The future is not."),
         ("The user's own earlier baskets.", "Those may be known: they are what the guess rests on."),
         ("The popularity of items before the test.", "What was popular *before* may be known.")),
        written=True,
    ),
    Question(
        "An IPS estimate from 100,000 sessions has an effective sample size of 40. What does that mean?",
        ("A few sessions with huge weights decide it: as if there were 40.",
         "Right. The policies differ so much, or sessions are so long, that hardly any of the log looks like what the "
         "new policy would do."),
        (("40 sessions were logged wrongly.", "Nothing is wrong with the log; it is of another policy."),
         ("The estimate is biased.", "IPS is unbiased even then. It is just worth next to nothing."),
         ("The new policy is 40 times better.", "The number says how much evidence there is, not how good the news.")),
    ),
    Question(
        "A visitor leaves in the middle of a session. For the agent that is ...",
        ("a termination: nothing comes after it, so nothing is bootstrapped.",
         "Right. Taken for a time limit, leaving would cost nothing: the target would go on counting on a visitor who "
         "is gone."),
        (("a truncation: the session could have gone on.", "It could not: the visitor has decided, and what he was "
                                                           "shown is the reason."),
         ("a missing value, to be left out.", "It is the most telling transition of all."),
         ("a reward of -1.", "It has no price of its own: what it costs are the rewards that do not come.")),
    ),
)
