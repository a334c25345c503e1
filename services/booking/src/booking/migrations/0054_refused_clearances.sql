-- Bookings and clearances have ids of their own: a refused clearance is none of the bookings' refusals, which are keyed by
-- (client, key) for whoever writes them, a release before too.
CREATE TABLE clearance_refusal (
    client      text NOT NULL,
    key         text NOT NULL,
    code        text NOT NULL,
    message     text NOT NULL,
    place       text NOT NULL,
    topic       text,
    partition   int,
    "offset"    bigint,
    recorded_at timestamptz NOT NULL, -- domain time
    PRIMARY KEY (client, key)
);
CREATE INDEX clearance_refusal_oldest ON clearance_refusal (recorded_at);
COMMENT ON TABLE clearance_refusal IS 'As inbound_refusal, of events of clearances-inbound.';

-- A dead letter has the machine's time: whether a word was taken after it is told by the same clock.
ALTER TABLE clearance_history ADD COLUMN taken_at timestamptz NOT NULL DEFAULT clock_timestamp();
COMMENT ON COLUMN clearance_history.taken_at IS 'When it was taken, by the machine''s clock; of rows before this column, when that was added.';
