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

_SHOWN = """
flag_id, flag.code, appointment_id, visit.source, named.source_id, visit.clinic_id, visit.status, visit.starts_at,
clinic.zone, visit.patient_id, visit.provider_id, flag.version, flag.raised_at, flag.done_at, flag.done_by, flag.note
"""
_OF_VISITS = """
JOIN appointment AS visit USING (appointment_id)
LEFT JOIN clinic USING (clinic_id)
LEFT JOIN LATERAL (
    SELECT source_id FROM appointment_alias WHERE appointment_alias.appointment_id = visit.appointment_id
    ORDER BY is_further, source, source_id LIMIT 1
) named ON true
"""
_SEEN = """
($1::text[] IS NULL OR visit.source = ANY ($1))
AND ($2::text[] IS NULL OR visit.clinic_id IS NULL OR visit.clinic_id = ANY ($2))
"""

PAGE = f"""
SELECT {_SHOWN} FROM visit_flag AS flag {_OF_VISITS}
WHERE {_SEEN} AND ($3::text IS NULL OR visit.clinic_id = $3) AND ($4::text IS NULL OR flag.code = $4)
  AND ($5::bigint IS NULL OR flag_id < $5) AND {{state}}
ORDER BY flag_id DESC LIMIT $6
"""  # noqa: S608  # names of ours
OF_STATE = {"open": "flag.done_at IS NULL", "done": "flag.done_at IS NOT NULL", "all": "true"}

ONE = f"SELECT {_SHOWN} FROM visit_flag AS flag {_OF_VISITS} WHERE {_SEEN} AND flag_id = $3"  # noqa: S608  # names of ours

DONE = """
UPDATE visit_flag SET done_at = $4, done_by = $2, note = $3 WHERE flag_id = $1 AND done_at IS NULL RETURNING flag_id
"""
