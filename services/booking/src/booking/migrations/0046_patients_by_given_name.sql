-- outside a transaction
-- The same by the given name.
CREATE INDEX CONCURRENTLY IF NOT EXISTS patient_given_name ON patient (lower(given_name) text_pattern_ops);
