"""Language, harmless names and the length of an SMS, pure."""
