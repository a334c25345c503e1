"""Whole files of a source, line by line through the door (0062)."""
