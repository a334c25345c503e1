-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS thing_of_nothing ON thing (nothing);
