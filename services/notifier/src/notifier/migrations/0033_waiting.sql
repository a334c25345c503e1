-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS notification_waits ON notification (recipient_id, not_after) WHERE state = 'skipped' AND reason IN ('UNKNOWN_PATIENT', 'NO_CONTACT', 'UNKNOWN_PROVIDER', 'DECEASED', 'DO_NOT_CONTACT', 'NO_CONSENT', 'OPTED_OUT', 'CHANNELS_DISABLED');
