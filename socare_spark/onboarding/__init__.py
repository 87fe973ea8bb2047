"""From an unknown file to a draft of its contract, without Spark.

No module of this package prints a value of a cell.
"""
