"""Every statement of the notifier. Set-based, rows sorted by key."""

INSERT = """
INSERT INTO notification (notification_id, version, kind, recipient, appointment_id, schedule_gen, reminder_id,
                          caused_by, state, lane, not_after, next_attempt_at, reason, clinic_id, ordinal, steps,
                          accepted_at, replaces, created_at, changed_at)
SELECT notification_id, version, kind, recipient, appointment_id, schedule_gen, reminder_id, caused_by, state, lane,
       not_after, next_attempt_at, reason, clinic_id, ordinal, steps, accepted_at, replaces, $19, $19
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::uuid[], $6::int[], $7::uuid[], $8::text[], $9::text[],
            $10::text[], $11::timestamptz[], $12::timestamptz[], $13::text[], $14::text[], $15::int[],
            $16::text[]::jsonb[],
            $17::timestamptz[], $18::uuid[])
    AS new (notification_id, version, kind, recipient, appointment_id, schedule_gen, reminder_id, caused_by, state,
            lane, not_after, next_attempt_at, reason, clinic_id, ordinal, steps, accepted_at, replaces)
ORDER BY 1 ON CONFLICT DO NOTHING"""

SENDING_MODE = "SELECT mode FROM sending_mode"

COUNT_STATE = "SELECT count(*) FROM notification WHERE state = $1"


FIND_NOTIFICATIONS = """
SELECT one.notification_id, one.appointment_id, one.kind, one.recipient, one.state, one.lane AS channel, one.reason,
       one.schedule_gen, one.reminder_id, one.attempts, one.not_after, one.next_attempt_at, one.caused_by,
       one.created_at, one.changed_at, one.delivery_state, one.steps, one.ordinal, one.clinic_id, one.accepted_at
FROM notification AS one WHERE one.appointment_id = $1 ORDER BY one.created_at, one.notification_id"""

FIND_ATTEMPTS = """
SELECT attempt_id, notification_id, row_number() OVER (PARTITION BY notification_id ORDER BY ordinal) AS ordinal,
       channel, gated_version, gated_at, answered_at, outcome, code, delivery_state, preference_version
FROM attempt WHERE notification_id = ANY($1::uuid[]) AND outcome IS DISTINCT FROM 'not-started'
ORDER BY notification_id, ordinal"""
"""Calls that were begun, or may have been."""
