"""Lake: the folder of Delta tables, their declaration, and atomic writes to several tables."""
