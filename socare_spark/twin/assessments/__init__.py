"""Assessments of adults and children, and their extracts."""
