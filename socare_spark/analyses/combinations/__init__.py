"""Which sub-processes a child went through together (D1-D3)."""
