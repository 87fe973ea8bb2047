"""Spark jobs: a council's service records in, figures that cannot be traced to a person out."""

__version__ = "0.1.0"
