"""How fast the timers of reminders are, against what this machine allows."""
