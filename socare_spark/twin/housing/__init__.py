"""Tenancies, the crosswalk from tenants to people, and their extracts."""
