-- Which partition each event goes to, so that one that Kafka does not acknowledge can be passed over, and each relay
-- finds what is its own beside any number of rows that are not. Null: written by the release before this one; the
-- relay fills it in.
ALTER TABLE outbox ADD COLUMN partition int;
CREATE INDEX outbox_waiting ON outbox (topic, partition, id);
CREATE INDEX outbox_unplaced ON outbox (id) WHERE partition IS NULL;

-- A plan that was made while the outbox was empty would read all of it: hence no sequential scan in these.
CREATE FUNCTION outbox_has_unplaced(topics text[]) RETURNS boolean
LANGUAGE sql STABLE SET enable_seqscan = off AS $$
    SELECT EXISTS (SELECT FROM outbox WHERE partition IS NULL AND topic = ANY (topics))
$$;

CREATE FUNCTION outbox_oldest(topics text[], partitions int[]) RETURNS timestamptz
LANGUAGE sql STABLE SET enable_seqscan = off AS $$
    SELECT min(waiting.created_at) FROM (
        SELECT next.created_at
        FROM unnest(topics, partitions) AS place (topic, partition)
        CROSS JOIN LATERAL (
            SELECT outbox.created_at FROM outbox
            WHERE (outbox.topic, outbox.partition, outbox.id) > (place.topic, place.partition, 0)
              AND (outbox.topic, outbox.partition) <= (place.topic, place.partition)
            ORDER BY outbox.topic, outbox.partition, outbox.id LIMIT 1
        ) AS next
        UNION ALL
        (SELECT created_at FROM outbox WHERE partition IS NULL AND topic = ANY (topics) ORDER BY id LIMIT 1)
    ) AS waiting
$$;
COMMENT ON FUNCTION outbox_oldest IS 'When the oldest event of these partitions was written; null: none waits.';
