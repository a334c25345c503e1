-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS reminder_over
    ON reminder ((coalesce(closes_at, changed_at))) WHERE status <> 'SCHEDULED';
