"""The statements of the timeline: what the ledger holds of one appointment."""

from notifier.ledger.statements import ALL

MESSAGES = """
SELECT notification_id, kind, recipient, ordinal, state, lane, reason, delivery_state, created_at, changed_at,
       accepted_at, not_after, next_attempt_at, caused_by, reminder_id, steps
FROM notification WHERE appointment_id = $1 ORDER BY created_at, notification_id"""

# What told the recipient of a message that is left out, or waits, about its visit, or may have (as in
# `gate.statements.SAID`); for a message of the day a reminder of the same schedule, also one that waits.
TELLERS = """
SELECT gone.notification_id AS of, one.notification_id, one.appointment_id, one.kind, one.state, one.lane AS channel,
       coalesce(one.said_at, one.accepted_at, one.changed_at) AS at, one.reminder_id
FROM notification AS gone JOIN notification AS one
    ON (one.appointment_id = gone.appointment_id OR one.replaces = gone.appointment_id)
       AND one.recipient = gone.recipient AND one.notification_id <> gone.notification_id
       AND coalesce(one.recipient_id = gone.recipient_id, true)
WHERE gone.appointment_id = $1 AND (gone.state = 'queued' OR gone.state = 'skipped' AND gone.reason = 'ALREADY_TOLD')
  AND one.kind NOT IN ('no-show', 'provider-arrived', 'provider-not-cleared')
  AND (gone.kind <> 'today' OR one.kind = 'reminder' AND one.schedule_gen = gone.schedule_gen)
  AND (one.accepted_at IS NOT NULL OR one.state IN ('sending', 'unknown')
       OR one.state = 'skipped' AND one.reason = 'BACKFILL'
       OR one.state = 'queued' AND gone.kind = 'today'
       OR one.steps @> '[{"reason": "OUTCOME_UNKNOWN"}]')
ORDER BY at, one.notification_id"""

# An attempt from before its domain time was kept is dated by its message.
CALLS = """
SELECT a.attempt_id, a.notification_id, a.ordinal, a.channel, coalesce(a.called_at, n.changed_at) AS at, a.outcome,
       a.code, a.gated_version, a.preference_version,
       (SELECT 1 + count(*) FROM attempt AS other
        WHERE other.with_attempt = coalesce(a.with_attempt, a.attempt_id)) AS visits,
       (SELECT lead.notification_id FROM attempt AS lead WHERE lead.attempt_id = a.with_attempt) AS told_with
FROM attempt AS a JOIN notification AS n USING (notification_id)
WHERE a.notification_id = ANY($1::uuid[]) ORDER BY a.notification_id, a.ordinal"""

# Of the calls, some of which the carrier knows by another visit's attempt (decision 0050).
RECEIPTS = """
WITH called AS (
    SELECT DISTINCT coalesce(with_attempt, attempt_id) AS attempt_id FROM attempt
    WHERE notification_id = ANY($1::uuid[])
)
SELECT r.received_at AS at, a.channel, r.status AS reported, r.code, r.attempt_id, r.notification_id
FROM called JOIN attempt AS a USING (attempt_id)
JOIN receipt AS r ON r.notification_id = a.notification_id AND r.attempt_id = a.attempt_id
ORDER BY r.receipt_id"""

REPLIES = """
SELECT received_at AS at, channel, meaning AS understood_as, reply_id
FROM reply WHERE appointment_id = $1 ORDER BY received_at, reply_id"""

ACTS = """
SELECT acted_at AS at, action, arrived, resent_as, acted_by, notification_id
FROM work_list_action WHERE notification_id = ANY($1::uuid[]) ORDER BY acted_at, notification_id"""

# Whatever opt-outs the addresses that were written to have had; the addresses themselves are nowhere.
OPT_OUTS = """
SELECT DISTINCT o.at, o.channel, o.category, o.stopped, o.caused_by
FROM opt_out_history AS o JOIN attempt AS a ON a.channel = o.channel
    AND (a.address_key = o.address_key OR a.address_sha256 = o.address_sha256)
WHERE a.notification_id = ANY($1::uuid[]) ORDER BY o.at, o.channel, o.category"""

ZONE = "SELECT zone FROM booking.send_gate(ARRAY[$1::uuid])"

QUEUED = f"""
SELECT {ALL} FROM notification
WHERE appointment_id = $1 AND recipient = 'patient' AND state = 'queued'"""  # noqa: S608  # columns of ours

# Who put sending on hold last, at the clinic if that has a mode of its own, else everywhere; nobody: the setting did.
HELD = """
SELECT held.clinic_id, audit.changed_at, audit.changed_by
FROM (SELECT (SELECT clinic_id FROM clinic_sending WHERE clinic_id = $1 AND mode IS NOT NULL)) AS held (clinic_id)
LEFT JOIN LATERAL (
    SELECT one.changed_at, one.changed_by FROM sending_audit AS one
    WHERE one.clinic_id IS NOT DISTINCT FROM held.clinic_id
      AND one.after ->> 'mode' = 'hold' AND one.before ->> 'mode' IS DISTINCT FROM 'hold'
    ORDER BY one.audit_id DESC LIMIT 1) AS audit ON true"""
