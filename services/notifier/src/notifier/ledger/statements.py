"""Every statement of the ledger. Set-based, rows sorted by key."""

from notifier.ledger.columns import CHANGING, COLUMNS, INSERTED, WRITTEN, arrays, listed

ALL = listed(COLUMNS)
"""Every column that a message is read from."""

INSERT = f"""
INSERT INTO notification ({listed(INSERTED)}, created_at, changed_at)
SELECT {listed(INSERTED)}, ${len(INSERTED) + 1}, ${len(INSERTED) + 1}
FROM unnest({arrays(INSERTED)})
    AS new ({listed(INSERTED)})
ORDER BY notification_id ON CONFLICT DO NOTHING"""  # noqa: S608  # columns of ours

FIND_NOTIFICATIONS = """
SELECT one.notification_id, one.appointment_id, one.kind, one.recipient, one.state, one.lane AS channel, one.reason,
       one.schedule_gen, one.reminder_id, one.attempts, one.not_after, one.next_attempt_at, one.caused_by,
       one.created_at, one.changed_at, one.delivery_state, one.steps, one.ordinal, one.clinic_id, one.accepted_at,
       notice.read_at
FROM notification AS one LEFT JOIN inbox AS notice USING (notification_id)
WHERE one.appointment_id = $1 ORDER BY one.created_at, one.notification_id"""

FIND_ATTEMPTS = """
SELECT attempt_id, notification_id, row_number() OVER (PARTITION BY notification_id ORDER BY ordinal) AS ordinal,
       channel, gated_version, gated_at, answered_at, outcome, code, delivery_state, preference_version,
       with_attempt
FROM attempt WHERE notification_id = ANY($1::uuid[]) AND outcome IS DISTINCT FROM 'not-started'
ORDER BY notification_id, ordinal"""
"""Calls that were begun, or may have been."""

LOCK = f"""
SELECT {ALL} FROM notification
WHERE notification_id = ANY($1::uuid[]) ORDER BY 1 FOR UPDATE"""  # noqa: S608  # a constant of ours

WRITE = f"""
UPDATE notification AS held
SET {", ".join(f"{column.name} = new.{column.name}" for column in CHANGING)},
    changed_at = ${len(WRITTEN) + 1},
    lease_until = CASE WHEN new.state = 'sending' THEN clock_timestamp() + ${len(WRITTEN) + 2}::interval END
FROM unnest({arrays(WRITTEN)})
    AS new ({listed(WRITTEN)})
WHERE held.notification_id = new.notification_id"""  # noqa: S608  # columns of ours
