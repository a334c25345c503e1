"""Attend: stack."""
