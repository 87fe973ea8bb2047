"""Contracts: the declared form of extracts, identifiers and project of a council."""
