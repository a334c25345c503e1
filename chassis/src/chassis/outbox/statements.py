"""The outbox's statements."""

ENQUEUE = """
INSERT INTO outbox (topic, partition, key, headers, value)
SELECT topic, partition, key, headers, value
FROM unnest($1::text[], $2::int[], $3::bytea[], $4::bytea[], $5::bytea[])
    WITH ORDINALITY AS event (topic, partition, key, headers, value, n)
ORDER BY n
"""

AGE = "SELECT extract(epoch FROM clock_timestamp() - outbox_oldest($1::text[], $2::int[]))::float8"

LOOK = """
SELECT outbox_oldest($1::text[], $2::int[]) IS NOT NULL,
       extract(epoch FROM clock_timestamp() - outbox_oldest($3::text[], $4::int[]))::float8
"""

# A plan from when the outbox was empty would read all of it, whoever's the rows are: hence no sequential scan.
BEGIN = """
SELECT pg_try_advisory_xact_lock(hashtext($1)), outbox_has_unplaced($2::text[]),
       set_config('enable_seqscan', 'off', true)
"""

UNPLACED = """
SELECT id, topic, key FROM outbox WHERE topic = ANY ($1::text[]) AND partition IS NULL ORDER BY id LIMIT $2
"""

PLACE = """
UPDATE outbox SET partition = found.partition
FROM unnest($1::bigint[], $2::int[]) AS found (id, partition) WHERE outbox.id = found.id
"""

# Row comparisons and their order fit one index only, whatever the statistics say of topics. Rows after one that has
# no partition yet wait for it: it may be of the same key.
UNPUBLISHED = """
SELECT next.id, next.topic, next.partition, next.key, next.headers, next.value,
       extract(epoch FROM clock_timestamp() - next.created_at)::float8 AS age_s
FROM unnest($1::text[], $2::int[]) AS place (topic, partition)
CROSS JOIN LATERAL (
    SELECT id, topic, partition, key, headers, value, created_at FROM outbox
    WHERE (outbox.topic, outbox.partition, outbox.id) > (place.topic, place.partition, 0)
      AND (outbox.topic, outbox.partition) <= (place.topic, place.partition)
      AND outbox.id < coalesce(
          (SELECT min(id) FROM outbox WHERE topic = ANY ($4::text[]) AND partition IS NULL), 9223372036854775807)
    ORDER BY outbox.topic, outbox.partition, outbox.id LIMIT $3
) AS next
"""

DELETE = "DELETE FROM outbox WHERE id = ANY ($1::bigint[])"
