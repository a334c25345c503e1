"""The stories of changed visits, due reminders and mornings, and how their messages enter the ledger."""
