"""Combinations of reason and outcome: people, records and time of use (D1-D3)."""
