"""Service requests of the CRM and their extract."""
