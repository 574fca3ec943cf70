"""The quiz of notebook 03."""

from course_lib.exercises.exercise import Question

QUESTIONS = (
    Question(
        "Five models err equally much. When does their mean err less than each of them?",
        ("When their errors are not all the same.",
         "Right. The ensemble's squared error is the members' mean error less the ambiguity, and that is zero only if "
         "all predict the same."),
        (("When there are more than five.", "Five copies of one model, or fifty, are as good as that one."),
         ("When each is already very good.", "The gain comes from how they differ, not from how good they are."),
         ("Never: a mean cannot be better than its parts.",
          "Errors of different sign cancel: two models that err by +1 and -1 are right together.")),
        written=True,
    ),
    Question(
        "What does a random forest have that bagged trees have not?",
        ("At each split a tree may look at a random part of the features only.",
         "Right. So the trees are less alike, and their mean gains more."),
        (("Each tree has its own sample of the data.", "So have bagged trees: that is what bagging means."),
         ("The trees are pruned.", "As a rule they are not; the mean evens out much of their overfitting."),
         ("Later trees mend the errors of earlier ones.", "That is boosting, not a forest.")),
    ),
    Question(
        "You fit the weights of an ensemble on the predictions for the training set. What happens?",
        ("The model that knows the training set best by heart gets nearly all the weight.",
         "Right. A forest is nearly perfect there, whatever it is worth elsewhere. Weights need predictions for "
         "examples that the models have not seen."),
        (("Nothing: each model was fitted on the same data.",
          "The same data, but they remember it to very different degrees."),
         ("All models get the same weight.", "Only if all remembered equally much."),
         ("The weights become negative.", "They may be kept positive and are still wrong.")),
    ),
    Question(
        "Four repetitions of fivefold cross-validation give 20 errors. Why is their spread, divided by the root of 20, "
        "too small a standard error?",
        ("The training sets overlap, so the 20 errors are not independent.",
         "Right. Nadeau and Bengio's correction adds n_test / n_train to 1 / 20: here the standard error more than "
         "doubles."),
        (("20 is too few for the normal distribution.",
          "That would ask for slightly wider intervals, not twice as wide."),
         ("The folds have different sizes.", "By one example at most."),
         ("It is not too small.", "Repeat everything on fresh data, and the means vary more than it says.")),
        written=True,
    ),
    Question(
        "A deep ensemble predicts a mean and a variance. Of what is the variance made?",
        ("The mean of the members' variances, and the variance of the members' means.",
         "Right. The first is the noise that they see in the data; the second is how far they disagree, and as a rule "
         "it grows where there were no data."),
        (("Only the variance of the members' means.", "Then noisy data on which all agree would look certain."),
         ("Only the mean of the members' variances.", "Then it would not know where it knows nothing."),
         ("The smallest of the members' variances.", "That would trust whoever boasts most.")),
    ),
    Question(
        "Your stacked ensemble beats its best member by 0.2, with a standard error of that difference of 0.4. What do "
        "you report?",
        ("Both figures, and that the ensemble is not shown to be better.",
         "Right. It may still be worth having: it protects against having chosen the wrong member."),
        (("That the ensemble is better.", "A difference of half its standard error is nothing to build on."),
         ("Only the ensemble's figure.", "Then nobody can see what it gained."),
         ("Other seeds, until the difference is significant.", "Then it is luck, and a reader cannot see it.")),
    ),
)
