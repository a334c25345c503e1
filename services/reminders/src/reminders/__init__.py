"""Attend: reminders."""
