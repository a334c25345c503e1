"""The rules of the records: the same events in any order, however often, give the same records and counts."""
