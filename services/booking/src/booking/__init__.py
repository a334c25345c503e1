"""Attend: booking."""
