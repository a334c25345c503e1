"""FHIR R4: booking messages (as NHS BaRS sends them) and single `Appointment` resources."""
