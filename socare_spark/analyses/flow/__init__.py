"""How people pass through the stages of a process (C1-C7)."""
