"""The in-app inbox of each provider: notices, lists of the day, pages and streams (R20, D18)."""
