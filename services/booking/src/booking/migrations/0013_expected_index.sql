-- outside a transaction
-- Visits that may become no-shows, imported ones too. The narrower appointment_unattended goes when no instance of before runs.
CREATE INDEX CONCURRENTLY IF NOT EXISTS appointment_expected
    ON appointment (clinic_id, starts_at) WHERE status = 'booked';
