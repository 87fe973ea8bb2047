"""Elements over time: people by quarter, use beyond a threshold, cost (B2, B8-B10)."""
