"""Pages from result tables: the summary on the terminal and the data dictionary."""
