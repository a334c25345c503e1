"""The rules of planning: from one version of an appointment to its row of timers, and to what is published of it."""
