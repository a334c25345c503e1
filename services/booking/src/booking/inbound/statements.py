"""SQL that keeps what became of what came in by the topics."""

KEEP_REFUSED = """
INSERT INTO {refusals} (client, key, code, message, place, topic, partition, "offset", recorded_at)
SELECT DISTINCT ON (client, key) client, key, code, message, place, topic, partition, "offset", $9::timestamptz
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::bigint[])
     WITH ORDINALITY AS given (client, key, code, message, place, topic, partition, "offset", nth)
ORDER BY client, key, nth DESC
ON CONFLICT (client, key) DO UPDATE
SET code = excluded.code, message = excluded.message, place = excluded.place, topic = excluded.topic,
    partition = excluded.partition, "offset" = excluded."offset", recorded_at = excluded.recorded_at
"""

KEEP_TAKEN = """
INSERT INTO inbound_taken (topic, partition, first_offset, client, offsets, event_ids, repeats)
SELECT topic, partition, min("offset"), min(client), array_agg("offset" ORDER BY "offset"),
       array_agg(event_id ORDER BY "offset"), coalesce(array_agg("offset") FILTER (WHERE is_repeat), '{}')
FROM unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::text[], $6::boolean[])
     AS taken (topic, partition, "offset", client, event_id, is_repeat)
GROUP BY topic, partition ORDER BY topic, partition
ON CONFLICT (topic, partition, first_offset) DO UPDATE
SET client = excluded.client, offsets = excluded.offsets, event_ids = excluded.event_ids,
    repeats = excluded.repeats, recorded_at = excluded.recorded_at
"""
"""A row for each partition and batch, whatever the number of its records."""
