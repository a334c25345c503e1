"""The reminder records: made of what the worker and the notifier published, kept in PostgreSQL and read over HTTP."""
