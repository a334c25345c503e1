"""Every statement of the lanes. Set-based, rows sorted by key."""

COLUMNS = """notification_id, kind, recipient, appointment_id, schedule_gen, reminder_id, caused_by, state, lane,
       not_after, next_attempt_at, version, attempts, attempt_id, reason, clinic_id, ordinal, steps, step_began_at,
       step_attempts, accepted_at, delivery_state, replaces"""


def _mode(setting: int) -> str:
    """Return the expression for the mode that counts for a row, the setting being the parameter of this number."""
    return f"""coalesce(
    (SELECT chosen.mode FROM clinic_sending AS chosen WHERE chosen.clinic_id = notification.clinic_id),
    (SELECT mode FROM sending_mode), ${setting}::text)"""  # noqa: S608  # a number of ours


LOCK_DUE = f"""
SELECT {COLUMNS} FROM notification
WHERE state = 'queued' AND lane = $1 AND next_attempt_at <= $2 AND not_after >= $6 AND {_mode(4)} <> 'hold'
  AND ($5 OR NOT EXISTS (SELECT FROM lane_rate WHERE channel = $1 AND paused_until > clock_timestamp()))
ORDER BY not_after LIMIT $3 FOR UPDATE SKIP LOCKED"""  # noqa: S608  # a constant of ours

IS_DUE = f"""
SELECT EXISTS (
    SELECT FROM notification
    WHERE state = 'queued' AND lane = $1 AND next_attempt_at <= $2 AND not_after >= $4 AND {_mode(3)} <> 'hold')
   AND NOT EXISTS (SELECT FROM lane_rate WHERE channel = $1 AND paused_until > clock_timestamp())"""  # noqa: S608  # ours

LOCK_LATE = f"""
SELECT {COLUMNS} FROM notification
WHERE state = 'queued' AND lane = $1 AND not_after < $2
ORDER BY not_after LIMIT $3 FOR UPDATE SKIP LOCKED"""  # noqa: S608  # a constant of ours

LOCK_RUN_OUT = f"""
SELECT {COLUMNS} FROM notification
WHERE state = 'sending' AND lane = $1 AND lease_until < clock_timestamp()
ORDER BY lease_until LIMIT $2 FOR UPDATE SKIP LOCKED"""  # noqa: S608  # a constant of ours

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

OPEN_ATTEMPTS = """
INSERT INTO attempt (attempt_id, notification_id, ordinal, channel, gated_version, schedule_gen, address_sha256,
                     preference_version, called_at)
SELECT *, $9 FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::int[], $6::int[], $7::bytea[], $8::int[])"""

CLOSE_ATTEMPTS = """
UPDATE attempt AS made
SET outcome = new.outcome, code = new.code, reference = new.reference, answered_at = clock_timestamp(),
    settled_at = $5
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS new (attempt_id, outcome, code, reference)
WHERE made.attempt_id = new.attempt_id AND (made.outcome IS NULL OR made.outcome = 'unknown')"""

CLINICS_PREFERRING_DOUBLES = (
    "SELECT clinic_id FROM clinic_sending WHERE clinic_id = ANY($1::text[]) AND double_over_miss"
)

CLAIMABLE = f"""
SELECT EXISTS (SELECT FROM notification WHERE state = 'sending' AND lane = ANY($1::text[]))
    OR EXISTS (SELECT FROM notification WHERE state = 'queued' AND lane = ANY($1::text[])
               AND next_attempt_at <= $2 AND ({_mode(3)} <> 'hold' OR not_after < $2))"""  # noqa: S608  # ours

NEXT_WAKE = f"""
SELECT min(CASE WHEN {_mode(2)} = 'hold' THEN not_after ELSE next_attempt_at END)
FROM notification WHERE state = 'queued' AND lane = ANY($1::text[])"""  # noqa: S608  # ours
