"""People and places that several services know (E4, E5)."""
