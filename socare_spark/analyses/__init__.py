"""Analyses, one folder per family.

In each folder `job` declares the analysis and `settings` its configuration. The other modules
declare tables together with the functions that compute them. Modules that several families use are
in this folder.
"""
