"""The families of results, a folder each: `job` says which tables it writes, `settings` what a
council may choose; the other modules declare the tables beside the functions that make them.

What several families use stands beside the folders.
"""
