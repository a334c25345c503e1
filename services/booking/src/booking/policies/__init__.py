"""Reminder policies: which rules a clinic or a service type has, who set them when, what a change does (D13, B4)."""
