"""Maintenance: the job `maintain` compacts tables and deletes data that nothing refers to."""
