"""Jobs of the wall clock: each time slot of each scope takes effect once (D20)."""
