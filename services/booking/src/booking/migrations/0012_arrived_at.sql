-- When what an appointment says first came from outside, in domain time, and at which offset of its inbound topic if it came by
-- one: a dead letter that is replayed stands at its own first arrival, and what came later is not undone by it. Null in rows
-- from before: their ingest_time then counts.
ALTER TABLE appointment
    ADD COLUMN arrived_at     timestamptz,
    ADD COLUMN arrived_offset bigint;
