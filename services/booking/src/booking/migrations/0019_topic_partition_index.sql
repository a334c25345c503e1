-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS appointment_topic_partition
    ON appointment (topic_partition(appointment_id), appointment_id);
