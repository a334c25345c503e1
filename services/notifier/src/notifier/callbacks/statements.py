"""The statements of what carriers sent and nobody could read."""

KEEP = """
INSERT INTO unreadable_callback (carrier, reason, content, size, content_sha256, received_at, form, account)
SELECT $1, new.reason, new.content, new.size, new.content_sha256, $6, new.form, new.account
FROM unnest($2::text[], $3::bytea[], $4::integer[], $5::bytea[], $8::text[], $9::text[])
    AS new (reason, content, size, content_sha256, form, account)
WHERE (SELECT count(*) FROM (SELECT FROM unreadable_callback LIMIT $7) AS held) < $7
ON CONFLICT DO NOTHING RETURNING unreadable_id"""

LIST = """
SELECT unreadable_id, carrier, reason, size, received_at, replayed_at, replayed_by FROM unreadable_callback
WHERE ($1::text IS NULL OR carrier = $1) AND ($2::bigint IS NULL OR unreadable_id < $2)
ORDER BY unreadable_id DESC LIMIT $3"""

CONTENT = "SELECT content FROM unreadable_callback WHERE unreadable_id = $1"

COUNT = "SELECT count(*) FROM unreadable_callback WHERE replayed_at IS NULL"

ONE = """
SELECT carrier, content, size, form, account, received_at, replayed_at, replayed_by FROM unreadable_callback
WHERE unreadable_id = $1"""

REPLAYED = """
UPDATE unreadable_callback SET replayed_at = $2, replayed_by = $3 WHERE unreadable_id = $1 AND replayed_at IS NULL"""

IS_FULL = "SELECT count(*) >= $1 FROM (SELECT FROM unreadable_callback LIMIT $1) AS held"
