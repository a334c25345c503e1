"""The rules of booking: pure functions of values and `now`; no I/O, no clock."""
