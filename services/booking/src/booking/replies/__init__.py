"""What patients answer to a message: their visit is confirmed or cancelled by it (B11)."""
