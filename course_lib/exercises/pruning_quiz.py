"""The quiz of notebook 02."""

from course_lib.exercises.exercise import Question

QUESTIONS = (
    Question(
        "A mask has set 95 % of a network's weights to zero. How much faster does an ordinary computer run it?",
        ("Not noticeably",
         "Right. A matrix product takes as long with zeros as without. Removing whole neurons makes the matrices "
         "smaller, and that is faster."),
        (("About 20 times", "Only if the zeros were never multiplied; a dense matrix product multiplies them all."),
         ("About twice", "No time is saved, unless a special kernel or chip makes use of the zeros."),
         ("It gets slower", "The mask itself costs little, and nothing once it has been multiplied into the weights.")),
    ),
    Question(
        "A neuron's activation has high entropy. What does that say?",
        ("Its values are hard to predict, and nothing else.",
         "Right. Noise has a high entropy as well. Whether the next layer uses it, or another neuron says the same, is "
         "another question."),
        (("It tells much about the class.", "That is mutual information with the class. Noise has entropy, too."),
         ("The network needs it.", "A copy of it may stand beside it, and its outgoing weights may be zero."),
         ("It was trained well.", "A network that has never been trained has neurons of high entropy.")),
    ),
    Question(
        "Why is the mutual information that one estimates from few examples too high?",
        ("By chance some combinations of bin and class occur more often than others, and that looks like a relation.",
         "Right. With K bins and C classes it amounts to about (K - 1)(C - 1) / 2N nats: 27 / 2N for 4 bins and 10 "
         "classes, which is nothing for 10,000 examples and much for a minibatch of 64."),
        (("The logarithm is not linear below 1.", "That plays no part: many examples make the same logarithm right."),
         ("Few examples have a low entropy.", "The entropies are too low as well, but that of the pairs by most."),
         ("It is not; it is too low.", "Shuffle the labels and estimate again: it is above zero every time.")),
        written=True,
    ),
    Question(
        "Gradual pruning removes most of the weights early, and few towards the end. Why?",
        ("At first much is redundant; later each weight that goes hurts, and the others need time to make up for it.",
         "Right. That is the cubic curve of Zhu and Gupta."),
        (("So that training becomes faster.", "A mask does not make it faster."),
         ("The learning rate is higher at the end.", "It is lower: what is lost late can hardly be made up for."),
         ("Small weights come into being only late.", "There are plenty of them from the first step on.")),
        written=True,
    ),
    Question(
        "You choose the sparsity with the best accuracy on the test set, and report that accuracy. What is wrong?",
        ("The test set took part in the choice, so the figure is too good.",
         "Right. Choose on validation data that neither training nor the report uses."),
        (("Nothing: pruning trains no weights.", "Choosing is learning, too: the best of many is partly the luckiest."),
         ("Accuracy is not a good measure.", "It may be or not, but the choice would spoil any other as well."),
         ("One should choose on the training data.",
          "There even a network that has learned the examples by heart looks good.")),
    ),
    Question(
        "75 of 300 neurons stay, without further training. Why refit the next layer by least squares?",
        ("What the missing neurons contributed can in part be said by those that stay, with other weights.",
         "Right. Neurons are correlated; the old outgoing weights assume that all of them are there."),
        (("Because the kept neurons changed.", "Their own incoming weights, and so their activations, are the same."),
         ("To get rid of small weights.", "It makes no weight zero."),
         ("Because the gradient of the next layer is zero.", "No gradient is used: it is a linear regression.")),
    ),
)
