"""The rules of patients: who one is, his number, and what registrations make of him; pure."""
