"""Service requests by extract: totals, top descriptions, single use and spelling variants (E1)."""
