"""Statements of clearances: each for any number of visits, rows sorted by key."""

CLEARANCE_COLUMNS = (
    ("appointment_id", "uuid"),
    ("kind", "text"),
    ("form", "text"),
    ("version", "int"),
    ("state", "text"),
    ("amount_minor", "bigint"),
    ("currency", "text"),
    ("reference", "text"),
    ("payer_class", "text"),
    ("expires_at", "timestamptz"),
    ("form_version", "text"),
    ("signed_at", "timestamptz"),
    ("signed_by", "text"),
    ("withdrawn_at", "timestamptz"),
    ("reason", "text"),
    ("said_at", "timestamptz"),
    ("said_by", "text"),
    ("client", "text"),
    ("recorded_at", "timestamptz"),
    ("patient_id", "uuid"),
)
"""In the order of a `Clearance`, after the id."""
_COLUMNS = ", ".join(name for name, _ in CLEARANCE_COLUMNS)
_ARRAYS = ", ".join(f"${number}::{kind}[]" for number, (_, kind) in enumerate(CLEARANCE_COLUMNS, 1))
_NEXT = len(CLEARANCE_COLUMNS) + 1
_SET = ", ".join(f"{name} = excluded.{name}" for name, _ in CLEARANCE_COLUMNS[3:])

_POLICY = "clinic_id, version, service_type, mode, requires, notify_days, set_by, set_at, unset"

# The service type's own policy goes before the clinic's; one that was given up counts as none.
_IN_FORCE = f"""
SELECT {_POLICY} FROM (
    (SELECT 1 AS nth, {_POLICY} FROM clearance_policy p
     WHERE p.clinic_id = a.clinic_id AND p.service_type = a.service_type ORDER BY p.version DESC LIMIT 1)
    UNION ALL
    (SELECT 2 AS nth, {_POLICY} FROM clearance_policy p
     WHERE p.clinic_id = a.clinic_id AND p.service_type IS NULL ORDER BY p.version DESC LIMIT 1)
) newest WHERE NOT unset ORDER BY nth LIMIT 1
"""  # noqa: S608  # names of ours

REQUIRED = f"""
SELECT a.appointment_id, a.starts_at, {", ".join(f"p.{name}" for name in _POLICY.split(", "))}
FROM unnest($1::uuid[]) AS asked (appointment_id)
JOIN appointment a USING (appointment_id) CROSS JOIN LATERAL ({_IN_FORCE}) p
"""  # noqa: S608  # names of ours

# Patients are those who are kept: who was merged is who he was merged into.
HELD = f"""
WITH held AS (
    SELECT {", ".join(f"c.{name}" for name, _ in CLEARANCE_COLUMNS)}, a.patient_id AS visits
    FROM clearance c JOIN appointment a USING (appointment_id) WHERE c.appointment_id = ANY ($1::uuid[])
), merged AS MATERIALIZED (
    SELECT away, kept FROM kept_patients(
        (
            SELECT array_agg(DISTINCT one) FROM held CROSS JOIN LATERAL unnest(ARRAY[patient_id, visits]) AS one
            WHERE patient_id IS DISTINCT FROM visits
        )
    )
)
SELECT {", ".join(name for name, _ in CLEARANCE_COLUMNS[:-1])}, coalesce(mine.kept, patient_id) AS patient_id,
       visits, coalesce(theirs.kept, visits) AS visits_kept
FROM held LEFT JOIN merged mine ON mine.away = patient_id LEFT JOIN merged theirs ON theirs.away = visits
ORDER BY appointment_id, kind, form
"""  # noqa: S608  # names of ours

KINDS = """
SELECT DISTINCT ON (asked.clinic_id, k.kind)
       asked.clinic_id AS asked, k.clinic_id, k.kind, k.shape, k.title, k.how, k.link, k.set_by, k.set_at
FROM unnest($1::text[]) AS asked (clinic_id)
JOIN clearance_kind k ON k.clinic_id IS NULL OR k.clinic_id = asked.clinic_id
ORDER BY asked.clinic_id, k.kind, k.clinic_id NULLS LAST, k.kind_id DESC
"""

POLICIES = f"""
SELECT DISTINCT ON (clinic_id, service_type) {_POLICY} FROM clearance_policy
WHERE clinic_id = ANY ($1::text[]) ORDER BY clinic_id, service_type, version DESC
"""  # noqa: S608  # names of ours
"""The newest of each clinic and service type, given up or not."""

EVERY_POLICY = f"""
SELECT {_POLICY} FROM clearance_policy WHERE clinic_id = ANY ($1::text[]) ORDER BY clinic_id, version
"""  # noqa: S608  # names of ours

CHANGES = f"""
SELECT {_POLICY} FROM clearance_policy WHERE clinic_id = $1 AND ($2::int IS NULL OR version < $2)
ORDER BY version DESC LIMIT $3
"""  # noqa: S608  # names of ours

LAST_VERSION = "SELECT coalesce(max(version), 0) FROM clearance_policy WHERE clinic_id = $1"

KEEP_POLICY = f"INSERT INTO clearance_policy ({_POLICY}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"  # noqa: S608

LOCK_CLINIC = "SELECT clinic_id FROM clinic WHERE clinic_id = $1 FOR UPDATE"

KEEP_KIND = """
INSERT INTO clearance_kind (clinic_id, kind, shape, title, how, link, set_by, set_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

# The same rows in the same order as whoever gives appointments their next version locks them.
LOCK_VISITS = """
SELECT appointment_id, source, status, clinic_id, patient_id, version FROM appointment
WHERE appointment_id = ANY ($1::uuid[]) AND version > 0 AND clinic_id IS NOT NULL AND patient_id IS NOT NULL
ORDER BY appointment_id FOR UPDATE
"""

NAMED_VISITS = """
SELECT source, source_id, appointment_id
FROM unnest($1::text[], $2::text[]) AS asked (source, source_id) JOIN appointment_alias USING (source, source_id)
"""

NAMED_PATIENTS = """
SELECT source, source_id, patient_id
FROM unnest($1::text[], $2::text[]) AS asked (source, source_id) JOIN patient_alias USING (source, source_id)
"""

# A merge gives a visit another patient too, who is the same one: who each is now is asked apart.
HANDS = """
SELECT appointment_id, patient_id, since FROM (
    SELECT appointment_id, version, patient_id, since,
           lag(patient_id) OVER (PARTITION BY appointment_id ORDER BY version) AS before
    FROM (
        SELECT appointment_id, version, (told ->> 'patient_id')::uuid AS patient_id,
               greatest((told ->> 'event_time')::timestamptz, (told ->> 'ingest_time')::timestamptz) AS since
        FROM appointment_history CROSS JOIN LATERAL (SELECT snapshot::jsonb AS told OFFSET 0) AS one
        WHERE appointment_id = ANY ($1::uuid[])
    ) AS versions
) AS given
WHERE patient_id IS DISTINCT FROM before ORDER BY appointment_id, version
"""

KEPT_PATIENTS = "SELECT away, kept FROM kept_patients($1::uuid[])"

TAKEN = """
SELECT h.client, h.key, h.body_sha256, h.result, h.appointment_id, h.kind, h.form, h.version
FROM unnest($1::text[], $2::text[]) AS asked (client, key) JOIN clearance_history h USING (client, key)
"""

WRITE = f"""
INSERT INTO clearance ({_COLUMNS}) SELECT {_COLUMNS} FROM unnest({_ARRAYS}) AS given ({_COLUMNS})
ON CONFLICT (appointment_id, kind, form) DO UPDATE SET {_SET}
"""  # noqa: S608  # names of ours

APPEND = f"""
INSERT INTO clearance_history ({_COLUMNS}, result, key, body_sha256)
SELECT {_COLUMNS}, result, key, body_sha256
FROM unnest({_ARRAYS}, ${_NEXT}::text[], ${_NEXT + 1}::text[], ${_NEXT + 2}::bytea[])
     WITH ORDINALITY AS given ({_COLUMNS}, result, key, body_sha256, n)
ORDER BY n
"""  # noqa: S608  # names of ours

HISTORY = f"""
SELECT {_COLUMNS}, serial, result, key FROM clearance_history WHERE appointment_id = $1 ORDER BY serial
"""  # noqa: S608  # names of ours

WHOSE = "SELECT source, clinic_id FROM appointment WHERE appointment_id = $1 AND version > 0"

# Which visits a policy is for: those of its service type, or of every service type that has none of its own.
AHEAD = """
SELECT appointment_id, starts_at, service_type FROM appointment a
WHERE a.clinic_id = $1 AND ($2::text IS NULL OR a.service_type = $2)
      AND (a.service_type IS NULL OR a.service_type <> ALL ($3::text[])) AND a.version > 0
      AND (a.starts_at, a.appointment_id) > ($4, $5) AND a.status = ANY ($6::text[])
ORDER BY a.starts_at, a.appointment_id LIMIT $7
"""
