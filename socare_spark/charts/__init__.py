"""Charts and maps: pure drawings of rows that they are given."""
