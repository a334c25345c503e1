"""What records reads from and writes to."""
