-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS notification_queued_for ON notification (recipient_id, clinic_id) WHERE state = 'queued' AND kind IN ('confirmation', 'moved', 'cancelled');
