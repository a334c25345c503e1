"""Who wants no more messages of a category on a channel, and how that is said, kept and lifted (D36)."""
