"""Charts and maps. Functions draw their arguments and read no tables."""
