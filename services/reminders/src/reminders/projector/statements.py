"""The projector's statements: what is shown of the records is asked for by `listing`, `history` and `forecast`."""

from reminders.projector.domain.book import Reminder

COLUMNS = Reminder._fields
_ARRAYS = {
    "uuid[]": {"reminder_id", "appointment_id", "patient_id", "notification_id"},
    "bigint[]": {"schedule_gen", "version"},
    "text[]": {"status", "reason", "rule", "clinic_id", "delivery_state", "caused_by"},
}
_TYPES = [next((kind for kind, names in _ARRAYS.items() if name in names), "timestamptz[]") for name in COLUMNS]
_ALL = ", ".join(COLUMNS)

ADD_SCHEDULES = """
INSERT INTO schedule (appointment_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING
"""

LOCK_SCHEDULES = """
SELECT appointment_id, version, schedule_gen FROM schedule
WHERE appointment_id = ANY($1::uuid[]) ORDER BY appointment_id FOR UPDATE
"""

READ_REMINDERS = f"SELECT {_ALL} FROM reminder WHERE appointment_id = ANY($1::uuid[])"  # noqa: S608  # constants

SAVE_SCHEDULES = """
UPDATE schedule s SET version = n.version, schedule_gen = n.schedule_gen
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS n (appointment_id, version, schedule_gen)
WHERE s.appointment_id = n.appointment_id
"""

SAVE_REMINDERS = f"""
INSERT INTO reminder ({_ALL})
SELECT {_ALL} FROM unnest({", ".join(f"${number}::{kind}" for number, kind in enumerate(_TYPES, 1))}) AS told ({_ALL})
ON CONFLICT (reminder_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in COLUMNS[3:])}
"""  # noqa: S608  # constants

ADD_FORECAST = """
INSERT INTO forecast (clinic_id, minute, due)
SELECT clinic_id, minute, due
FROM unnest($1::text[], $2::timestamptz[], $3::bigint[]) AS told (clinic_id, minute, due)
ON CONFLICT (clinic_id, minute) DO UPDATE SET due = forecast.due + excluded.due
"""
"""Slots in the order of the key, as the last statement that locks rows others may want."""

FORGET_FORECAST = """
DELETE FROM forecast WHERE (clinic_id, minute) IN (
    SELECT clinic_id, minute FROM forecast WHERE due = 0 AND minute < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
)
"""

CLOSING = """
SELECT appointment_id FROM schedule
WHERE appointment_id IN (
    SELECT appointment_id FROM reminder WHERE status = 'SCHEDULED' AND closes_at <= $1 ORDER BY closes_at LIMIT $2
)
ORDER BY appointment_id FOR UPDATE
"""

CLOSE = f"""
UPDATE reminder SET
    status = CASE WHEN handed_over_at IS NULL AND notification_id IS NULL THEN 'CANCELLED' ELSE 'FAILED' END,
    reason = CASE WHEN handed_over_at IS NULL AND notification_id IS NULL THEN 'TOO_LATE' ELSE 'OUTCOME_UNKNOWN' END,
    changed_at = $1, caused_by = 'closing'
WHERE appointment_id = ANY($2::uuid[]) AND status = 'SCHEDULED' AND closes_at <= $1
RETURNING {", ".join(f"old.{name}" for name in COLUMNS)}
"""  # noqa: S608  # constants
"""Returns the records as they were."""
