"""The rules of reminders: pure, no clock, no I/O."""
