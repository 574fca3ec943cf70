"""Recommendation in a shop by deep Q-learning: a simulator, real data, baselines, metrics, off-policy evaluation."""
