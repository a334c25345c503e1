"""Attend: chassis."""
