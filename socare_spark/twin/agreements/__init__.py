"""Agreements: the closed series, the costed series, and the extracts of all series."""
