"""What waits for a person, and what he may do with it (B12)."""
