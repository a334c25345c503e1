"""What patients write back: understood, done and kept in one transaction (D36, B11)."""
