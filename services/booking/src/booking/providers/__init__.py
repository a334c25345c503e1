"""Clinicians: known by name, so that a visit can say whose it is."""
