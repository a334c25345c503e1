-- outside a transaction
-- The same for a client who sees some clinics only, however many visits of its source are at others.
CREATE INDEX CONCURRENTLY IF NOT EXISTS appointment_of_source_at_clinic
    ON appointment (source, clinic_id, starts_at, appointment_id);
