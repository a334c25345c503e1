-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS attempt_of_call ON attempt (with_attempt) WHERE with_attempt IS NOT NULL;
