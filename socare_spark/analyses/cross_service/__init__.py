"""People and places known to several services (E4, E5)."""
