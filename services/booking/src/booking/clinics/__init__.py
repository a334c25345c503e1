"""Clinics: their zone, hours, names upstream, and the reminder rules that their appointments carry."""
