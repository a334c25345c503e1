"""WhatsApp in the shape of Meta's Cloud API: calls and callbacks."""
