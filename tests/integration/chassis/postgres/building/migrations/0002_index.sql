-- outside a transaction
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS thing_name ON thing (name);
