"""Upstream formats: from the bytes of a request or a record to commands, and back to an answer."""
