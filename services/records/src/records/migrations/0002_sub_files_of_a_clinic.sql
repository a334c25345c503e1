-- outside a transaction
-- The sub-files of a clinic, in the order in which they are listed.
CREATE INDEX CONCURRENTLY IF NOT EXISTS sub_file_clinic ON sub_file (clinic_id, sub_file_id);
