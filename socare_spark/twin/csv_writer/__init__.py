"""CSV files with planted defects."""
