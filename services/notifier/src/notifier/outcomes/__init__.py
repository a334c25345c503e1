"""What became of each message, in one order that nothing is committed behind: a feed for those who sent (0048)."""
