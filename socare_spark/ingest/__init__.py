"""From an extract file to typed, checked, pseudonymised rows: only here is an identifier seen."""
