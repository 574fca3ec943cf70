"""The quiz of notebook 04."""

from course_lib.exercises.exercise import Question

QUESTIONS = (
    Question(
        "The game has ended well: generated images are distributed as real ones. What does the best discriminator say?",
        ("1/2 of every image.",
         "Right. D* = p_real / (p_real + p_fake), with both equal. Its loss is then 2 log 2."),
        (("1 of real and 0 of generated images.", "It is trained towards that; where both look alike, it cannot."),
         ("1 of every image.", "Then it would pay for every generated one."),
         ("It depends on the generator's loss.", "D* depends on the two distributions alone.")),
    ),
    Question(
        "What speaks against training a generator on log(1 - D(G(z)))?",
        ("Where the discriminator is sure, that loss is nearly flat.",
         "Right. Its slope by the logit is -D(G(z)), near 0 when the discriminator is not fooled. With R1 the "
         "discriminator seldom becomes that sure, and it matters less: on the ring both losses do well."),
        (("The game has another fixed point with it.", "It is the same; the way there is what differs."),
         ("It is slower to compute.", "Both are one softplus."),
         ("It cannot be written with logits.", "It can: minus the softplus of the logit.")),
        written=True,
    ),
    Question(
        "What does the R1 penalty keep small?",
        ("The gradient of the discriminator's logit at real images.",
         "Right. To be steep where the data are costs it something, which helps the game to settle, not to circle."),
        (("The weights of the discriminator.", "That would be weight decay."),
         ("The gradient of the generator.", "The generator is not touched."),
         ("The logits of real images.", "They may be of any size, as long as they change slowly.")),
    ),
    Question(
        "A classifier recognises 99.9 % of generated images as the digit they should be. How good is the generator?",
        ("That cannot be said: one perfect image of each digit, repeated, would get 100 %.",
         "Right. Train a classifier on the samples and test it on real images instead: that needs variety."),
        (("Nearly perfect.", "So is one that draws the same ten images for ever."),
         ("Overfitted.", "Perhaps; this figure does not tell."),
         ("As good as the classifier.", "The classifier's errors are not the generator's.")),
        written=True,
    ),
    Question(
        "A generator has learnt the training images by heart. Which of these figures gives it away?",
        ("How often a sample is nearer to its nearest training image than a test image is to its own.",
         "Right. It is 1 for copies, and about 1/2 for new images. The other figures reward copies."),
        (("The Fréchet distance.", "It is that of the training images themselves: as good as it gets."),
         ("Precision and recall.", "Both are 1, as good as they can be."),
         ("The accuracy of a classifier trained on the samples.", "It is that of one trained on the training images.")),
    ),
    Question(
        "You train a GAN on your 100 labelled images and add 1,000 samples to them. Does a classifier gain?",
        ("Hardly, if at all: the generator knows nothing that is not in the 100 images.",
         "Right. Shifts and rotations bring in something new: that a turned digit is the same digit."),
        (("As much as from 1,000 more real images.", "Then information would come from nowhere."),
         ("A perfect score.", "Only a leak gives that, such as a GAN that has seen the test set."),
         ("It always gets worse.", "Mostly nothing happens; it may help a little or harm a little.")),
    ),
)
