"""Tracking: the record, log and progress of a run, and their copy in MLflow."""
