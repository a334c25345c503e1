"""Whose key it is and what its holder sees: what the other services ask booking with their callers' keys (0048)."""
