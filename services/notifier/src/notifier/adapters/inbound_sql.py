"""The statements of receipts, replies and opt-outs."""

from notifier.opt_outs.statements import OF_ADDRESS, OVERLAP

KEEP_RECEIPTS = """
INSERT INTO receipt (carrier, key, asked_attempt_id, reference, status, code, occurred_at, account, received_at)
SELECT carrier, key, asked_attempt_id, reference, status, code, occurred_at, account, $9
FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::text[])
    AS new (carrier, key, asked_attempt_id, reference, status, code, occurred_at, account)
ORDER BY carrier, key ON CONFLICT DO NOTHING
RETURNING receipt_id, carrier, key, asked_attempt_id, reference, status, code, occurred_at, account"""

# An attempt of the release before knows no account, a report by look-up or bounce none either.
_MAY_SPEAK = "(attempt.account IS NULL OR {account} IS NULL OR attempt.account = {account})"

# Only reports whose attempt is there by now: those nobody will ever match are looked up, never locked.
WAITING_RECEIPTS = f"""
SELECT receipt_id, carrier, key, asked_attempt_id, reference, status, code, occurred_at, account
FROM receipt WHERE applied_at IS NULL AND received_at >= $2 AND EXISTS (
    SELECT FROM attempt
    WHERE (attempt.attempt_id = receipt.asked_attempt_id OR attempt.reference = receipt.reference)
      AND attempt.channel = CASE receipt.carrier WHEN 'twilio' THEN 'sms' WHEN 'meta' THEN 'whatsapp' ELSE 'email' END
      AND {_MAY_SPEAK.format(account="receipt.account")}
)
ORDER BY receipt_id LIMIT $1 FOR UPDATE SKIP LOCKED"""  # noqa: S608  # a constant of ours

# The attempt that a report names; else the one whose reference it is. Each carrier speaks of its own channel only.
ATTEMPTS_OF_RECEIPTS = f"""
SELECT asked.receipt_id, found.attempt_id, found.notification_id, found.channel, found.outcome, found.delivery_state
FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[])
    AS asked (receipt_id, attempt_id, reference, channel, account)
CROSS JOIN LATERAL (
    SELECT attempt.attempt_id, attempt.notification_id, attempt.channel, attempt.outcome, attempt.delivery_state
    FROM attempt
    WHERE (attempt.attempt_id = asked.attempt_id OR attempt.reference = asked.reference)
      AND attempt.channel = asked.channel AND {_MAY_SPEAK.format(account="asked.account")}
    ORDER BY attempt.attempt_id = asked.attempt_id DESC NULLS LAST LIMIT 1
) AS found"""  # noqa: S608  # a constant of ours

# An attempt that nobody knew the answer to, or that was said to be refused, was accepted after all; but one acceptance
# for a message and channel is all there can be, and one under way may yet be it. This statement does not see what it
# writes itself: of two attempts in it, only the one that `may` is made the accepted one.
MOVE_ATTEMPTS = """
UPDATE attempt AS made
SET delivery_state = moved.delivery_state, reference = coalesce(made.reference, moved.reference),
    outcome = CASE WHEN made.outcome = 'accepted' OR NOT moved.may OR EXISTS (
        SELECT FROM attempt AS other
        WHERE other.notification_id = made.notification_id AND other.channel = made.channel
          AND other.attempt_id <> made.attempt_id AND (other.outcome = 'accepted' OR other.outcome IS NULL)
    ) THEN made.outcome ELSE 'accepted' END
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[]) AS moved (attempt_id, delivery_state, reference, may)
WHERE made.attempt_id = moved.attempt_id"""

NOTE_RECEIPTS = """
UPDATE receipt AS kept
SET attempt_id = noted.attempt_id, notification_id = noted.notification_id, changed = noted.changed, applied_at = $5
FROM unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::boolean[])
    AS noted (receipt_id, attempt_id, notification_id, changed)
WHERE kept.receipt_id = noted.receipt_id"""

# Not tried again: it would stand first in line for ever.
GIVE_UP_RECEIPT = "UPDATE receipt SET applied_at = $2, changed = false, trouble = $3 WHERE receipt_id = $1"

COUNT_UNMATCHED = "SELECT count(*) FROM receipt WHERE applied_at IS NULL"

# Two copies of one message at once: the second waits here, and then finds the first.
LOCK_REPLY = "SELECT pg_advisory_xact_lock(hashtextextended('reply/' || $1::text, 0))"

# Two answers of one number at once: the second counts the wrong code of the first. Taken after the lock above, always.
LOCK_NUMBER = "SELECT pg_advisory_xact_lock(hashtextextended('number/' || encode($1::bytea, 'hex'), 0))"

WRONG_CODES = f"SELECT count(*) FROM reply WHERE {OF_ADDRESS} AND why = 'WRONG_CODE' AND received_at > $3"  # noqa: S608  # ours

KNOWN_REPLY = "SELECT EXISTS (SELECT FROM reply WHERE reply_id = $1)"


STOPPED_LATER = f"""
SELECT EXISTS (SELECT FROM reply
               WHERE {OF_ADDRESS} AND meaning = 'stop' AND coalesce(sent_at, received_at) > $3::timestamptz)
    OR EXISTS (SELECT FROM opt_out
               WHERE {OF_ADDRESS} AND channel = ANY($4::text[]) AND caused_by LIKE 'staff/%' AND since > $3)"""  # noqa: S608
"""By an answer, or at the front desk."""

# The last message about each visit that this address got, or may have got, on this channel; last booked, first listed.
MESSAGED = f"""
SELECT DISTINCT ON (told.appointment_id) told.appointment_id, made.schedule_gen
FROM attempt AS made JOIN notification AS told USING (notification_id)
WHERE {OF_ADDRESS} AND made.channel = $3 AND told.recipient = 'patient' AND told.appointment_id IS NOT NULL
  AND ($4::text IS NULL OR made.account IS NULL OR made.account = $4)
  AND made.schedule_gen IS NOT NULL AND (made.outcome IS NULL OR made.outcome IN ('accepted', 'unknown'))
ORDER BY told.appointment_id DESC, made.gated_at DESC LIMIT 200"""  # noqa: S608  # a constant of ours

CLINICS_THAT_READ = "SELECT clinic_id FROM clinic_sending WHERE replies AND clinic_id = ANY($1::text[])"

KEEP_REPLY = f"""
INSERT INTO reply (reply_id, channel, address_key, sender, text, meaning, verdict, why, appointment_id, clinic_id,
                   sent_at, received_at, clinic_ids, address_sha256,
                   sender_user_id)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, CASE WHEN {OVERLAP} THEN $14::bytea END,
       $15"""

_REPLY = """reply_id, channel, sender, sender_user_id, text, meaning, verdict, why, appointment_id, clinic_id,
       received_at, done_at, done_by"""

REPLIES = f"""
SELECT {_REPLY}
FROM reply WHERE ($1::boolean IS NOT TRUE OR (why IS NOT NULL AND done_at IS NULL))
  AND ($2::timestamptz IS NULL OR (received_at, reply_id) < ($2, $3::uuid))
ORDER BY received_at DESC, reply_id DESC LIMIT $4"""  # noqa: S608  # a constant of ours

DONE_REPLY = f"""
UPDATE reply SET done_at = coalesce(done_at, $2), done_by = coalesce(done_by, $3) WHERE reply_id = $1
RETURNING {_REPLY}"""  # noqa: S608  # a constant of ours

# Of an age at which the carrier lists what it took. `alone`: nothing else to that address is open around then.
UNKNOWN_ATTEMPTS = """
SELECT made.attempt_id, told.appointment_id, made.address_key, made.gated_at, NOT EXISTS (
    SELECT FROM attempt AS other
    WHERE other.address_key = made.address_key AND other.channel = 'sms' AND other.attempt_id <> made.attempt_id
      AND (other.outcome IS NULL OR other.outcome = 'unknown')
      AND other.gated_at BETWEEN made.gated_at - $3::interval AND made.gated_at + $3::interval
) AS alone
FROM notification AS told JOIN attempt AS made ON made.attempt_id = told.attempt_id
WHERE told.state = 'unknown' AND told.appointment_id IS NOT NULL AND made.channel = 'sms' AND made.outcome = 'unknown'
  AND made.address_key IS NOT NULL
  AND made.gated_at >= clock_timestamp() - make_interval(secs => $2)
  AND made.gated_at <= clock_timestamp() - make_interval(secs => $1)
ORDER BY made.gated_at DESC LIMIT $4"""

KNOWN_REFERENCES = "SELECT reference FROM attempt WHERE channel = 'sms' AND reference = ANY($1::text[])"
