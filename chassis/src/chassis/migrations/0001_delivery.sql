-- The delivery core's tables, in each service's schema (design §3).

CREATE TABLE kafka_cluster (
    only_one   boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    cluster_id text NOT NULL
);
COMMENT ON TABLE kafka_cluster IS 'The cluster whose offsets are in consumer_offset; another one stops the consumers.';

CREATE TABLE consumer_offset (
    consumer    text   NOT NULL,
    topic       text   NOT NULL,
    partition   int    NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (consumer, topic, partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE consumer_offset IS 'The truth of what was consumed: moved by compare-and-set in the transaction of the effect.';

CREATE TABLE outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic      text  NOT NULL,
    key        bytea NOT NULL,
    headers    bytea NOT NULL,
    value      bytea,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
COMMENT ON TABLE outbox IS 'Events not yet acknowledged by Kafka; deleted when they are.';

CREATE TABLE dead_letter (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer    text   NOT NULL,
    topic       text   NOT NULL,
    partition   int    NOT NULL,
    "offset"    bigint NOT NULL,
    key         bytea,
    value       bytea,
    headers     bytea  NOT NULL,
    code        text   NOT NULL,
    message     text   NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    state       text   NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'replayed', 'discarded')),
    settled_at  timestamptz,
    UNIQUE (consumer, topic, partition, "offset")
);
CREATE INDEX dead_letter_open ON dead_letter (id) WHERE state = 'open';
COMMENT ON TABLE dead_letter IS 'Records that could not be applied, with their bytes, position and reason (G8).';
