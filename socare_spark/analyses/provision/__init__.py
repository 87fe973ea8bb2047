"""Agreements by place and time: matrix, trends, density, distribution (A1-A5)."""
