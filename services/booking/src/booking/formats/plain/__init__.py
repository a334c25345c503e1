"""Our own JSON: one event, an array of events, or `{"events": [...]}`."""
