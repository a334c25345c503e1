"""Flags of patients and clinics on which safety hangs: their changes, kept for ever, and who may read them (D51)."""
