"""Keeping a lake small and erasing what no table refers to any more: the job `maintain`."""
