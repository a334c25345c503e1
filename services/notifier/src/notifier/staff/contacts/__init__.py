"""Patients with visits ahead who cannot be reached, and why (B12)."""
