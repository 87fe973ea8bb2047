"""The files of the configuration: their models, and their check."""
