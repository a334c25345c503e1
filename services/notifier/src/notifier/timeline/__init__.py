"""Everything that was decided about one appointment, from every service, and why (B1)."""
