-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS attempt_of_message ON attempt (notification_id, ordinal);
