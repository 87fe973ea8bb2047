"""Service requests by snapshot: totals, top descriptions, single use and spelling variants (E1)."""
