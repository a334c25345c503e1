-- outside a transaction
-- What staff are shown of refused events: the newest first.
CREATE INDEX CONCURRENTLY IF NOT EXISTS inbound_refusal_newest ON inbound_refusal (recorded_at);
