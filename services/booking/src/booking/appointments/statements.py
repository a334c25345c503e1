"""Booking's statements: each for a whole batch, its rows sorted by key."""

IDENTITIES = """
SELECT source, source_id, appointment_id
FROM unnest($1::text[], $2::text[]) AS asked (source, source_id)
JOIN appointment_alias USING (source, source_id)
"""

MAKE_IDENTITIES = """
INSERT INTO appointment_alias (source, source_id, appointment_id)
SELECT source, source_id, uuidv7()
FROM unnest($1::text[], $2::text[]) AS asked (source, source_id)
ORDER BY source, source_id
ON CONFLICT DO NOTHING
RETURNING source, source_id, appointment_id
"""

FORGET_IDENTITIES = """
DELETE FROM appointment_alias
USING unnest($1::text[], $2::text[]) AS asked (source, source_id)
WHERE appointment_alias.source = asked.source AND appointment_alias.source_id = asked.source_id
"""

NAME_IDENTITIES = """
UPDATE appointment_alias SET appointment_id = given.appointment_id, is_further = true
FROM unnest($1::text[], $2::text[], $3::uuid[]) AS given (source, source_id, appointment_id)
WHERE appointment_alias.source = given.source AND appointment_alias.source_id = given.source_id
"""

PEOPLE = """
SELECT asked.source, asked.source_id, patient_id, NULL AS first_id
FROM unnest($1::text[], $2::text[]) AS asked (source, source_id) JOIN patient_alias USING (source, source_id)
UNION ALL
SELECT asked.source, asked.source_id, NULL, first_id
FROM unnest($3::text[], $4::text[]) AS asked (source, source_id) JOIN provider_alias USING (source, source_id)
"""

MADE_KNOWN = """
SELECT patient_id, NULL AS provider_id FROM patient WHERE patient_id = ANY ($1::uuid[]) AND version > 0
UNION ALL
SELECT NULL, provider_id FROM provider WHERE provider_id = ANY ($2::uuid[])
"""

NAMES = "SELECT appointment_id, source_id FROM appointment_alias WHERE appointment_id = ANY ($1::uuid[])"

APPOINTMENT_COLUMNS = (
    ("appointment_id", "uuid"),
    ("source", "text"),
    ("version", "int"),
    ("status", "text"),
    ("sequence", "bigint"),
    ("source_time", "timestamptz"),
    ("event_time", "timestamptz"),
    ("ingest_time", "timestamptz"),
    ("confirmed", "boolean"),
    ("mode", "text"),
    ("patient_id", "uuid"),
    ("clinic_id", "text"),
    ("provider_id", "uuid"),
    ("service_type", "text"),
    ("starts_at", "timestamptz"),
    ("ends_at", "timestamptz"),
    ("schedule_gen", "int"),
    ("schedule_set_at", "timestamptz"),
    ("first_booked_at", "timestamptz"),
    ("caused_by", "text"),
    ("reason", "text"),
    ("arrived_at", "timestamptz"),
    ("arrived_offset", "bigint"),
    ("said_status", "text"),
    ("said_confirmed", "boolean"),
    ("said_reason", "text"),
    ("said_starts_at", "timestamptz"),
    ("never_booked", "boolean"),
)
"""In the order of an `AppointmentState`, after the id."""
_NAMES = ", ".join(name for name, _ in APPOINTMENT_COLUMNS)
_ARRAYS = ", ".join(f"${number}::{kind}[]" for number, (_, kind) in enumerate(APPOINTMENT_COLUMNS, 1))
_SET = ", ".join(f"{name} = excluded.{name}" for name, _ in APPOINTMENT_COLUMNS[2:])

_SAID_AT = "said_version, said_start_version, never_booked_version"
HELD = f"{_NAMES}, {_SAID_AT}"
"""What `store.state_of` reads. What upstream said is known if it was written with the row's version: a release before,
which knows nothing of it, or of its start, writes versions too."""

HELD_APPOINTMENTS = f"""
SELECT {HELD} FROM appointment WHERE appointment_id = ANY ($1::uuid[]) ORDER BY appointment_id
"""  # noqa: S608  # names of ours
LOCK_APPOINTMENTS = f"{HELD_APPOINTMENTS} FOR UPDATE"

WRITE_APPOINTMENTS = f"""
INSERT INTO appointment ({_NAMES}, {_SAID_AT})
SELECT {_NAMES}, version, version, version FROM unnest({_ARRAYS}) AS given ({_NAMES})
ON CONFLICT (appointment_id) DO UPDATE
SET {_SET}, said_version = excluded.said_version, said_start_version = excluded.said_start_version,
    never_booked_version = excluded.never_booked_version
"""  # noqa: S608  # names of ours

APPEND_HISTORY = """
INSERT INTO appointment_history (appointment_id, version, snapshot, barred)
SELECT appointment_id, version, snapshot, barred
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[]) AS given (appointment_id, version, snapshot, barred)
"""

# LATERAL … LIMIT 1 keeps the plan a probe of the indexes for each key, the newest quarter first. A join of 1,000
# keys would be planned as one reading of all that were ever taken: by the planner's prices that costs less.
TAKEN = """
SELECT asked.client, asked.key, i.body_sha256, i.read_sha256, i.result, i.appointment_id, i.version, i.warnings
FROM unnest($1::text[], $2::text[]) AS asked (client, key)
CROSS JOIN LATERAL (
    SELECT body_sha256, read_sha256, result, appointment_id, version, warnings FROM ingress
    WHERE ingress.client = asked.client AND ingress.key = asked.key ORDER BY period DESC LIMIT 1
) AS i
"""

# The index holds a key once in each quarter. Whoever began in the quarter before has ended within 10 s (the role's
# transaction_timeout), so what is taken in the first minute of one is kept in both: two that take one key meet there.
REMEMBER = """
INSERT INTO ingress
    (client, key, body_sha256, result, appointment_id, version, warnings, read_sha256, recorded_at, period)
SELECT client, key, body_sha256, result, appointment_id, version,
       CASE WHEN warnings = '' THEN '{}' ELSE string_to_array(warnings, chr(10)) END, read_sha256, taken_at, period
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::uuid[], $6::int[], $7::text[], $8::bytea[])
     AS given (client, key, body_sha256, result, appointment_id, version, warnings, read_sha256),
     (SELECT coalesce($9::timestamptz, now())) AS machine (taken_at),
     LATERAL (SELECT quarter_of(taken_at) UNION SELECT quarter_of(taken_at - interval '1 minute')) AS lasting (period)
ORDER BY client, key, period
"""

KEPT_PATIENTS = "SELECT away, kept FROM kept_patients($1::uuid[])"
