"""Ingest: extract files to typed, checked, pseudonymised rows. Identifiers are read only here."""
