"""What the notifier decides, pure: no I/O, no clock, only schemas and the standard library."""
