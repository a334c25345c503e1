"""SQL of the work list of visits: each for a whole batch, its rows sorted by key."""

RAISE = """
INSERT INTO visit_flag (appointment_id, code, version, raised_at)
SELECT DISTINCT ON (appointment_id, code) appointment_id, code, version, $4::timestamptz
FROM unnest($1::uuid[], $2::text[], $3::int[]) AS given (appointment_id, code, version)
ORDER BY appointment_id, code, version
ON CONFLICT (appointment_id, code) WHERE done_at IS NULL DO NOTHING
"""

SETTLE = """
UPDATE visit_flag SET done_at = $4, done_by = $3
WHERE appointment_id = ANY ($1::uuid[]) AND code = ANY ($2::text[]) AND done_at IS NULL
"""
