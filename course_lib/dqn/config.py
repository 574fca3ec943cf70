"""The hyper-parameters of deep Q-learning, shared by both frameworks."""

from __future__ import annotations

from dataclasses import dataclass

from course_lib.common.config import Config


@dataclass(frozen=True)
class DQNConfig(Config):
    """Hyper-parameters of one DQN training run; the defaults solve CartPole-v1.

    "Steps" are environment steps summed over all parallel environments; "updates" are gradient steps.

    Raises
    ------
    ValueError
        If a field is outside its range; the message names the field, what was expected and what came.
    """

    # the network and how it learns
    hidden: tuple[int, ...] = (128,)  # units of each hidden ReLU layer
    learning_rate: float = 8e-3  # Adam's step size
    batch_size: int = 128  # transitions per update
    huber_delta: float | None = None  # None: squared loss; a number: Huber loss that is linear beyond it
    max_grad_norm: float | None = None  # clip the gradient's global norm; None: no clipping
    scale_obs: bool = True  # divide observations by their standard deviation over the warm-up

    # what it learns towards
    gamma: float = 0.99  # discount per environment step
    n_step: int = 4  # rewards summed before bootstrapping (1 is classic Q-learning)
    double: bool = True  # the online network picks the bootstrap action, the target network values it
    target_network: bool = True  # False: bootstrap from the network that is being trained
    tau: float = 0.02  # how far the target network moves at each of its updates (1: a hard copy)
    target_update_every: int = 1  # gradient updates between two moves of the target network

    # what it learns from
    replay: bool = True  # False: learn from the latest `train_every` vector steps alone
    buffer_size: int = 50_000  # transitions kept for replay
    rewarded_share: float = 0.0  # of each batch drawn from transitions with a reward above 0 alone; 0: uniform replay
    warmup_steps: int = 2_048  # random steps before the first update
    train_every: int = 4  # vector steps (one in each copy) between two blocks: a single environment needs more
    updates_per_block: int = 32  # gradient updates in a block

    # how it explores
    epsilon_start: float = 1.0  # chance of a random action when learning starts
    epsilon_end: float = 0.5  # ... and from `epsilon_steps` after the warm-up on
    epsilon_steps: int = 1_000  # steps over which epsilon falls
    act_with_target: bool = True  # read the policy from the (smoother) target network

    # how long, and how it is watched
    total_steps: int = 40_000  # environment steps in all
    eval_every: int = 1_000  # steps between two evaluations
    eval_episodes: int = 20  # greedy episodes per evaluation
    checkpoint_every: int = 10_000  # steps between two checkpoints, when a checkpoint file is given
    fast: bool = True  # PyTorch: flat parameters, gradients by hand; Keras: a compiled block of updates

    RANGES = {
        "[1, inf)": ("hidden", "batch_size", "n_step", "target_update_every", "buffer_size", "train_every",
                     "updates_per_block", "total_steps", "eval_every", "eval_episodes", "checkpoint_every"),
        "[0, inf)": ("warmup_steps", "epsilon_steps"),
        "(0, inf)": ("learning_rate", "huber_delta", "max_grad_norm"),
        "[0, 1]": ("gamma", "epsilon_start", "epsilon_end", "rewarded_share"),
        "(0, 1]": ("tau",),
    }


# Settings for 32 parallel copies of CartPole and 16 of the others.
SETTINGS = {
    "CartPole-v1": DQNConfig(),
    "Acrobot-v1": DQNConfig(hidden=(128, 64), learning_rate=6e-3, gamma=0.995, n_step=5, double=False, tau=0.04,
                            warmup_steps=1_000, train_every=8, epsilon_end=0.2, total_steps=30_000),
    "LunarLander-v3": DQNConfig(hidden=(256, 256), learning_rate=1e-3, n_step=5, tau=0.01, scale_obs=False,
                                buffer_size=100_000, warmup_steps=2_000, epsilon_end=0.1, epsilon_steps=20_000,
                                total_steps=300_000, eval_every=10_000),
}
