-- What became of every record of an inbound topic, by its place: the release before writes neither.
CREATE TABLE inbound_taken (
    topic        text   NOT NULL,
    partition    int    NOT NULL,
    first_offset bigint NOT NULL,
    client       text   NOT NULL,
    offsets      bigint[] NOT NULL,
    event_ids    text[]   NOT NULL,
    repeats      bigint[] NOT NULL,
    recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (topic, partition, first_offset)
);
CREATE INDEX inbound_taken_oldest ON inbound_taken (recorded_at);
COMMENT ON TABLE inbound_taken IS 'Which event each record of an inbound topic was that was taken: a row for each batch and partition.';
COMMENT ON COLUMN inbound_taken.repeats IS 'Those of the offsets whose event had been taken before.';

ALTER TABLE inbound_refusal
    ADD COLUMN topic text,
    ADD COLUMN partition int,
    ADD COLUMN "offset" bigint;
COMMENT ON COLUMN inbound_refusal.topic IS 'Where its record stands; null: it came over HTTP, or while the release before ran.';
