"""What a run did: its record, its log, its progress, and their mirror in MLflow."""
