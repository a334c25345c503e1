"""A message explained: where each value came from, what it asks for, and what would follow; nothing is kept (0063)."""
