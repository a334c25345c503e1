"""Records are applied with their positions in one transaction; what cannot be applied is a dead letter (G1, G3, G8)."""
