"""What carriers report of messages they took: kept once, applied under the message's lock (G6)."""
