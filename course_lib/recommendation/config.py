"""The settings with which the course's DQN learns to recommend, shared by both frameworks."""

from __future__ import annotations

from course_lib.dqn.config import DQNConfig

# For 128 parallel sessions. Steps are cheap here and rewards rare, so there are many steps for each update.
PLANNER = DQNConfig(hidden=(64,), learning_rate=4e-3, batch_size=64, gamma=0.97, n_step=2, double=False,
                    tau=0.01, scale_obs=False, warmup_steps=10_000, buffer_size=100_000, train_every=4,
                    updates_per_block=8, epsilon_end=0.05, epsilon_steps=100_000, total_steps=300_000,
                    eval_every=10_000_000)
