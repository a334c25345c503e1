-- outside a transaction
-- The visits of a source from a moment on, soonest first: GET /v1/appointments?from=.
CREATE INDEX CONCURRENTLY IF NOT EXISTS appointment_of_source
    ON appointment (source, starts_at, appointment_id);
