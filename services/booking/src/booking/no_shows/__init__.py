"""Visits that nobody came to: found by the wall clock, and marked so (R18, D19)."""
