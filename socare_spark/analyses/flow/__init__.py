"""People in the stages of a process (C1-C7)."""
