"""Published counts and totals, counted over the twin's own columns."""
