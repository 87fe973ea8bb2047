"""Combinations of reason and outcome: how often, of whom, and from when to when (D1-D3)."""
