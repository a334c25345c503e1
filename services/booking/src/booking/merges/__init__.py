"""Two files that turned out to be of one person: one is kept, the other linked to it (D44)."""
