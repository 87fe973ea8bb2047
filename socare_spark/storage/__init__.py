"""Folders of the lake, of the landing files and of rejected lines, and the files in them."""
