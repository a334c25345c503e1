"""SMS in Twilio's shape: calls, callbacks, and the list of messages."""
