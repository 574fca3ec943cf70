"""Reinforcement learning that tunes the training of other networks."""
