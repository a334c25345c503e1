-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS notification_waits_for ON notification (recipient_id) WHERE state = 'skipped' AND reason IN ('UNKNOWN_PATIENT', 'NO_CONTACT', 'UNKNOWN_PROVIDER');
