"""What patients say about channels, with the whole history (R23, B13)."""
