"""Attend: schemas."""
