"""Arithmetic that analyses share: cells, bands, money, places' ranks."""
