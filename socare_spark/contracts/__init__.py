"""What a council declares: how an extract looks, how identifiers are read, which project it is."""
