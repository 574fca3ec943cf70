"""The quiz of notebook 01."""

from course_lib.exercises.exercise import Question

QUESTIONS = (
    Question(
        "Every action value is estimated with an error that is zero on average. Why is their maximum too "
        "high on average?",
        ("The maximum prefers actions whose error happens to be positive.",
         "Right. The average of a maximum is at least the maximum of the averages. Double DQN lets one "
         "network pick and the other value, so that the two errors differ."),
        (("The errors add up over the actions.",
          "Only one action's value is used. It is the picking that favours lucky errors."),
         ("The discount is too close to 1.",
          "The discount spreads the error over time; it would be there with any discount above 0."),
         ("It is not: errors of mean zero cancel out.",
          "They cancel in an average, not in a maximum: the higher of two dice averages 4.47, not 3.5.")),
        written=True,
    ),
    Question(
        "CartPole stops after 500 steps with the pole still up: truncated, not terminated. What is the "
        "target of the last transition?",
        ("reward + gamma * max Q(next observation), as for any other step",
         "Right. The world goes on, only we stopped looking; so the value of what follows still counts."),
        (("The reward alone, since the episode is over",
          "That is termination. It would teach that balancing well until step 500 ends as badly as falling."),
         ("0, since nothing was achieved",
          "The reward of the step was earned, and the pole was still up."),
         ("None: the transition has to be dropped",
          "It is as good as any, if the true last observation is stored and not the one after the reset.")),
    ),
    Question(
        "What does experience replay do?",
        ("It breaks up the correlation between successive samples and uses each one several times.",
         "Right. A batch is then more like independent draws, and old experience is not forgotten at once."),
        (("It balances exploration and exploitation.",
          "Replay only chooses what to learn from. Which actions are tried is up to epsilon."),
         ("It makes the environment faster.",
          "The environment takes as long as before; each of its steps is used more often."),
         ("It makes the targets constant.",
          "They are computed anew for each batch. Keeping them steady is the target network's task.")),
    ),
    Question(
        "Why are the targets read from a target network, a slow copy of the online network?",
        ("So that an update does not move the very targets it is aiming at.",
         "Right. Otherwise raising Q(s, a) may raise Q(s', a') and so the target: values can run away."),
        (("Because a second network sees other data.",
          "It is trained on no data of its own: it only follows the online network's weights."),
         ("To save memory.",
          "It costs a second set of weights."),
         ("To remove the overestimation by the maximum.",
          "It lags, but it still both picks and values the action. Removing that takes Double DQN.")),
        written=True,
    ),
    Question(
        "Our agent steps 32 copies of CartPole at once. What does that change in the algorithm?",
        ("Nothing in the update: the same kinds of transitions enter the replay memory, from 32 episodes at a time.",
         "Right. Each copy is a CartPole of its own. Do count steps over all copies, and keep the ratio of "
         "updates to steps."),
        (("It makes the algorithm on-policy.",
          "Old experience is replayed as before, and the target still ends with the best next action's value."),
         ("32 different agents are trained.",
          "All copies act by one network and fill one memory."),
         ("gamma has to be divided by 32.",
          "Time passes in each copy as before: one step of a copy is one step of discount.")),
    ),
    Question(
        "What does epsilon do?",
        ("It is the chance of a random action, so that the agent also tries what it does not think best.",
         "Right. It decides which data are collected. A one-step target does not depend on it; in a target of "
         "several steps, the random actions after the first do count (section 5)."),
        (("It is the share of transitions that replay draws at random.",
          "Replay draws all of its transitions at random. Epsilon is about acting."),
         ("It scales the step of the optimizer.",
          "That is the learning rate. (Adam has an epsilon of its own: against division by zero.)"),
         ("It makes the target softer by averaging over random actions.",
          "The target ends with the best next action's value. Averaging over the policy is expected Sarsa.")),
    ),
)
