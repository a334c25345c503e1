"""Clearances; pure."""
