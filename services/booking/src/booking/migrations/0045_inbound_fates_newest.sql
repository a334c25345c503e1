-- outside a transaction
-- What clients are shown of the records that were refused: the newest first.
CREATE INDEX CONCURRENTLY IF NOT EXISTS dead_letter_newest ON dead_letter (recorded_at, id);
