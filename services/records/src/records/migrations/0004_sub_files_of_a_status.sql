-- outside a transaction
-- The sub-files of a status, in the order in which they are listed: parked and closed ones are few among many.
CREATE INDEX CONCURRENTLY IF NOT EXISTS sub_file_status ON sub_file (status, sub_file_id);
