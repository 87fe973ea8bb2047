"""Comparison of elements by district, region and people (B1, B3, B4)."""
