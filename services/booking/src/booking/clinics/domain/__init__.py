"""What a clinic is; pure."""
