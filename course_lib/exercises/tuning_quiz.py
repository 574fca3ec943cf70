"""The quiz of notebook 07."""

from course_lib.exercises.exercise import Question

QUESTIONS = (
    Question(
        "What is the state, when an agent tunes a network's training?",
        ("What is seen of the run so far: losses, their slopes, the gradient's norm, the learning rate, the progress.",
         "Right. All of it can be seen before the decision, in any network and on any task."),
        (("The weights of the network.", "They say all, in principle. But there are thousands of them, in another "
                                         "order and number for each network: what was learned would hardly transfer."),
         ("The test loss.", "Whoever decides by the test loss has no test left."),
         ("The learning rate that is best.", "That is what we look for; nobody can observe it.")),
    ),
    Question(
        "Why is the reward the fall of the validation loss, and not of the training loss?",
        ("The training loss also falls while a network learns by heart.",
         "Right. An agent gets what it is paid for: paid for the training loss, it would learn to overfit."),
        (("The training loss is not known.", "It is known, at no cost. That is what makes it tempting."),
         ("The validation loss is less noisy.", "It need not be. But it asks what counts: new examples."),
         ("It makes no difference.", "On wrong labels it does: bug 1 shows it.")),
        written=True,
    ),
    Question(
        "An agent was trained in 5,000 runs. It is compared with a random search of 16 runs on the new task. Fair?",
        ("Say both: what the agent costs on a new task, and what it cost to train.",
         "Right. On one task the search is far cheaper; over thousands of tasks the agent needs fewer runs. Both "
         "belong in the report, and so do the losses that the two end with."),
        (("Yes: training does not count.", "Somebody paid for it. It counts, divided by the tasks that it serves."),
         ("No: the search must get 5,000 runs as well.", "Only if there is just this one task; then that is fair, "
                                                         "and the agent will look poor."),
         ("Yes, if both use the same seeds.", "Paired seeds make the comparison sharper. They do not make it fair.")),
        written=True,
    ),
    Question(
        "What does clipping the gradient's norm do?",
        ("It shortens a step that is too long, and keeps its direction.",
         "Right. All entries shrink by the same share. Clipping each value by itself also turns the direction."),
        (("It sets large entries to zero.", "They are made smaller, all by the same share."),
         ("It keeps weights small.", "That is weight decay. Clipping limits the step, not the place."),
         ("It makes learning faster.", "It helps it to survive steep places. In flat ones it does nothing.")),
    ),
    Question(
        "A tuned agent beats a baseline whose learning rate is the library's default. What follows?",
        ("Little: the baseline was not tuned.",
         "Right. Gains have vanished when the baseline got as much search as the new method (Melis et al. 2018, on "
         "language models: the plain LSTM, well tuned, came out ahead)."),
        (("The agent is better.", "Than a number that nobody chose for this task."),
         ("Defaults are bad.", "They are a guess for all tasks at once; for that they are not bad."),
         ("The agent is better, if it does so on ten seeds.", "Ten seeds make an unfair comparison precise.")),
    ),
    Question(
        "When is a learned policy of tuning worth its price?",
        ("When many runs on related tasks will follow, and one try is all that each of them gets.",
         "Right. For one task a search is cheaper; and where a good schedule with a good peak is known, take that."),
        (("Always: learning beats rules.", "A schedule tuned on related tasks is hard to beat. Section 4 says where "
                                           "the agent is ahead."),
         ("When the network is very large.", "Then 5,000 runs to learn from are out of reach; that is its weakness."),
         ("Never.", "Look again at what happens when the first learning rate is wrong.")),
    ),
)
