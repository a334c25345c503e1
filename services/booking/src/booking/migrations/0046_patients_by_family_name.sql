-- outside a transaction
-- Patients by how their family name begins, whatever its case.
CREATE INDEX CONCURRENTLY IF NOT EXISTS patient_family_name ON patient (lower(family_name) text_pattern_ops);
