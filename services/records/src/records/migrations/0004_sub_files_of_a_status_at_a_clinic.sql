-- outside a transaction
-- The same at one clinic, however many of that status are at others.
CREATE INDEX CONCURRENTLY IF NOT EXISTS sub_file_clinic_status ON sub_file (clinic_id, status, sub_file_id);
