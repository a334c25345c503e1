"""The rules of appointments: pure functions of values and `now`; no I/O, no clock."""
