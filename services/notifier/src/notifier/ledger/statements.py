"""Every statement of the ledger. Set-based, rows sorted by key."""

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

COLUMNS = """notification_id, kind, recipient, appointment_id, schedule_gen, reminder_id, caused_by, state, lane,
       not_after, next_attempt_at, version, attempts, attempt_id, reason, clinic_id, ordinal, steps, step_began_at,
       step_attempts, accepted_at, delivery_state, replaces"""

LOCK = f"""
SELECT {COLUMNS} FROM notification
WHERE notification_id = ANY($1::uuid[]) ORDER BY 1 FOR UPDATE"""  # noqa: S608  # a constant of ours

WRITE = """
UPDATE notification AS held
SET state = new.state, lane = new.lane, not_after = new.not_after, next_attempt_at = new.next_attempt_at,
    version = new.version, attempts = new.attempts, attempt_id = new.attempt_id, reason = new.reason,
    clinic_id = new.clinic_id, steps = new.steps, step_began_at = new.step_began_at,
    step_attempts = new.step_attempts, accepted_at = new.accepted_at, delivery_state = new.delivery_state,
    changed_at = $16, lease_until = CASE WHEN new.state = 'sending' THEN clock_timestamp() + $17::interval END
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::int[], $7::int[], $8::uuid[],
            $9::text[], $10::text[], $11::text[]::jsonb[], $12::timestamptz[], $13::int[], $14::timestamptz[],
            $15::text[])
    AS new (notification_id, state, lane, not_after, next_attempt_at, version, attempts, attempt_id, reason, clinic_id,
            steps, step_began_at, step_attempts, accepted_at, delivery_state)
WHERE held.notification_id = new.notification_id"""
