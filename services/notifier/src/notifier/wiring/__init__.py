"""How the notifier is put together: what the rooms make is connected here alone."""
