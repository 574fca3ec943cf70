"""Recommendation in a shop by deep Q-learning: a simulator, real data, metrics, off-policy evaluation."""
