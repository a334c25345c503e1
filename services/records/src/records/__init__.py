"""Attend: records."""
