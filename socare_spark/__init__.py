"""Spark jobs that turn a council's extracts into pseudonymised Delta tables, maps and figures."""

__version__ = "0.1.0"
