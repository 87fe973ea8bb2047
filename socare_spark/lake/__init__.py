"""Where tables are, what they look like, and how they are written whole or not at all."""
