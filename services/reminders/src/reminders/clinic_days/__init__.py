"""The beginning of each clinic's day, published once at 8:00 of its own wall clock (R19)."""
