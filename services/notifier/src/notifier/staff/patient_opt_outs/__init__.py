"""Opt-outs of a patient, at the addresses that he is known by now (D36)."""
