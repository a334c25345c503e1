-- outside a transaction
-- The visits of a provider from a moment on, soonest first: GET /v1/appointments?provider=.
CREATE INDEX CONCURRENTLY IF NOT EXISTS appointment_of_provider
    ON appointment (provider_id, starts_at, appointment_id) WHERE provider_id IS NOT NULL;
