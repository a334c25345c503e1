"""Attend: notifier."""
