"""The quiz of notebook 05."""

from course_lib.exercises.exercise import Question

QUESTIONS = (
    Question(
        "One expert is a forest, the other a network, and both are finished. What can you fuse without training?",
        ("What they say: their probabilities.",
         "Right. Outputs only need to mean the same thing. Features need a look inside, and layers trained on top of "
         "them. Weights need networks of the same shape, whose neurons also correspond."),
        (("Their features, side by side.", "Something must be trained to read them; and what are a forest's features?"),
         ("The mean of their weights.", "That needs two networks of the same shape. A forest has no such weights."),
         ("Nothing: experts must be of one kind.", "Outputs of any kind fit, if the numbers mean the same.")),
    ),
    Question(
        "Two networks differ only in their seed. The mean of their outputs is good, the network with the mean of their "
        "weights is bad. Why?",
        ("Hidden neurons have no fixed order, so the mean blends neurons that have nothing to do with each other.",
         "Right. Reordering a layer's neurons changes the weights, but not the outputs. Two seeds end in two orders, "
         "and more besides: matching the neurons lowers the barrier, it need not remove it."),
        (("Weights can never be averaged.", "They can if the networks were fine-tuned from one start: a model soup."),
         ("Each network overfits in its own way.", "That is what a mean of outputs gains from; and the weights of "
                                                   "networks that do not overfit clash just as much."),
         ("Two networks are too few for a mean.", "More unrelated networks only blend more unrelated neurons.")),
        written=True,
    ),
    Question(
        "There are two classes. Eight of nine experts give the right one .9; the ninth is poisoned and gives it 1e-12. "
        "What happens?",
        ("The product follows the poisoned expert; the median does not.",
         "Right. In a product each expert has a veto: one factor of 1e-12 undoes the other eight. The median looks at "
         "the expert in the middle, and that one is sound."),
        (("The median follows the poisoned expert; the product does not.",
          "The median does not care how extreme one value is. A product does."),
         ("Both survive: it is eight against one.", "A product does not count votes: one factor near 0 is enough."),
         ("Neither survives.", "Half of the experts would have to be poisoned to move the median far.")),
    ),
    Question(
        "Why must a stack or a gate not be trained on the data on which its experts were trained?",
        ("There the expert that remembers most looks best, and gets the trust.",
         "Right. Its errors on data that it has seen say nothing about those on new data. Hold some data back for the "
         "gate, or use out-of-fold predictions."),
        (("The experts would change.", "They are finished: only the gate is trained. It learns the wrong lesson."),
         ("A gate is so small that it does not matter.", "Even one number is chosen badly by errors that are not "
                                                         "those on new data."),
         ("It would take longer.", "It would take as long. The trouble is what it learns.")),
        written=True,
    ),
    Question(
        "The labels are known, and so is what each expert says. Reinforcement learning picks one expert for each "
        "example. What does a supervised gate know that it does not?",
        ("How good every expert would have been, not only the chosen one.",
         "Right. A bandit sees the reward of the arm that it chose. With labels the loss is differentiable in the "
         "gate's weights, so each example teaches about all experts, and nothing need be explored."),
        (("Nothing: both want to be right.", "They have one aim, but not the same information."),
         ("The answers to the test set.", "Then it would be a leak. It uses the training labels, as the rewards do."),
         ("What its choice does to later examples.", "That is where reinforcement learning has the advantage: if "
                                                     "choices have consequences, or only one outcome is seen.")),
    ),
    Question(
        "A fusion forecasts tomorrow's level of a price that is a random walk, with an R2 of .98. What does it know?",
        ("Perhaps nothing: \"tomorrow as today\" has such an R2, too.",
         "Right. R2 compares with the mean of all levels, which is easy to beat. Compare with persistence, or "
         "forecast the changes."),
        (("98 % of what makes prices change.", "Of the changes it may know nothing: for a random walk their R2 is "
                                               "about 0 at best."),
         ("The direction, on 98 of 100 days.", "A good R2 on levels says nothing about directions: here they are "
                                               "tosses of a coin."),
         ("The training data, by heart.", "Nothing need be overfitted: persistence has no parameters, and such an "
                                          "R2, too.")),
    ),
)
