"""Every statement of fan-out. Set-based, rows sorted by key."""

from notifier.ledger.statements import ALL

HELD = """
SELECT appointment_id::text, version, status, schedule_gen, starts_at, clinic_id, turned_at
FROM appointment WHERE appointment_id = ANY($1::text[]::uuid[])"""

KEEP = """
INSERT INTO appointment AS held (appointment_id, version, status, schedule_gen, starts_at, provider_id, patient_id,
                                 clinic_id, service_type, ends_at, turned_at)
SELECT appointment_id, version, status, schedule_gen, starts_at, provider_id, patient_id, clinic_id, service_type,
       ends_at, turned_at
FROM unnest($1::text[]::uuid[], $2::int[], $3::text[], $4::int[], $5::timestamptz[], $6::text[]::uuid[],
            $7::text[]::uuid[], $8::text[], $9::text[], $10::timestamptz[], $11::timestamptz[])
    AS told (appointment_id, version, status, schedule_gen, starts_at, provider_id, patient_id, clinic_id,
             service_type, ends_at, turned_at)
ORDER BY 1
ON CONFLICT (appointment_id) DO UPDATE
SET version = excluded.version, status = excluded.status, schedule_gen = excluded.schedule_gen,
    starts_at = excluded.starts_at, provider_id = excluded.provider_id, patient_id = excluded.patient_id,
    clinic_id = excluded.clinic_id, service_type = excluded.service_type, ends_at = excluded.ends_at,
    turned_at = excluded.turned_at
WHERE held.version < excluded.version"""

KNOWN = "SELECT notification_id FROM notification WHERE notification_id = ANY($1::uuid[])"

WAITING = f"""
SELECT {ALL} FROM notification
WHERE appointment_id = ANY($1::uuid[]) AND recipient = 'patient' AND state = 'queued'
ORDER BY 1 FOR UPDATE"""  # noqa: S608  # a constant of ours

# Twins: visits of one patient, clinic and service (D37). Each that turned just now, with those that matter to it: for
# a booked one the visits ahead that stand since before, and those cancelled close to it; for a cancelled one those
# booked close to it.
TWINS = """
SELECT one.appointment_id, other.appointment_id, one.status, other.status
FROM appointment AS one JOIN appointment AS other
    ON other.patient_id = one.patient_id AND other.clinic_id = one.clinic_id
       AND other.service_type IS NOT DISTINCT FROM one.service_type AND other.appointment_id <> one.appointment_id
WHERE one.appointment_id = ANY($1::uuid[])
  AND (one.status = 'booked' AND other.status = 'booked' AND other.starts_at > $3
           AND coalesce(other.turned_at, '-infinity') < one.turned_at - make_interval(secs => $2)
       OR (one.status, other.status) IN (('booked', 'cancelled'), ('cancelled', 'booked'))
           AND other.turned_at >= one.turned_at - make_interval(secs => $2)
           AND other.turned_at <= one.turned_at + make_interval(secs => $2))
ORDER BY other.turned_at, other.appointment_id, one.appointment_id"""

TURNS = 256
"""Locks that stand for all patients: a transaction holds no more, however many it folds."""
TURN_CLASS = 1_146_369_335
"""The first half of our advisory locks' keys: nobody else's (D37 in ASCII, and a 7)."""

TAKE_TURNS = "SELECT pg_advisory_xact_lock($1::int, turn) FROM unnest($2::int[]) AS turn"

CHANGE = """
UPDATE notification AS held
SET kind = new.kind, state = new.state, reason = new.reason, version = new.version, replaces = new.replaces,
    next_attempt_at = new.next_attempt_at, changed_at = $8
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::uuid[], $7::timestamptz[])
    AS new (notification_id, kind, state, reason, version, replaces, next_attempt_at)
WHERE held.notification_id = new.notification_id AND held.state = 'queued'"""
