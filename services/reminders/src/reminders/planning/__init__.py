"""What the worker does with a version of an appointment: reminders are planned, handed over or taken back."""
