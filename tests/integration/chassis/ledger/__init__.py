"""A service made up for these tests: it keeps the newest version of each entity, and counts every effect."""
