"""Lines of JSON, each an event."""
