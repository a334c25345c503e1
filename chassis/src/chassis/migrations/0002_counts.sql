-- What became of every record consumed, counted in the transaction of the effect: together they are the
-- records read (invariant I3), whatever crashed meanwhile.
ALTER TABLE consumer_offset
    ADD COLUMN applied bigint NOT NULL DEFAULT 0,
    ADD COLUMN repeat  bigint NOT NULL DEFAULT 0,
    ADD COLUMN stale   bigint NOT NULL DEFAULT 0,
    ADD COLUMN dead    bigint NOT NULL DEFAULT 0;
