-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS outcome_at ON outcome (at);
