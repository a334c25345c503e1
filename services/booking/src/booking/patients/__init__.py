"""Patients: registered, described, numbered; their contacts and flags."""
