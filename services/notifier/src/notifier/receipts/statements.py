"""The statements of receipts."""

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
      AND (receipt.carrier, attempt.channel) IN (
          SELECT carrier, channel FROM unnest($3::text[], $4::text[]) AS speaks (carrier, channel)
      )
      AND {_MAY_SPEAK.format(account="receipt.account")}
)
ORDER BY receipt_id LIMIT $1 FOR UPDATE SKIP LOCKED"""  # noqa: S608  # a constant of ours

_MADE = "made.attempt_id, made.notification_id, made.channel, made.outcome, made.delivery_state, made.with_attempt"

# The attempt that a report names; else the one whose reference it is. Each carrier speaks of its own channel only. With
# it come those that the same call was made for (decision 0050); the one that the carrier knows is first.
ATTEMPTS_OF_RECEIPTS = f"""
SELECT asked.receipt_id, called.attempt_id, called.notification_id, called.channel, called.outcome,
       called.delivery_state, called.with_attempt
FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[])
    AS asked (receipt_id, attempt_id, reference, channel, account)
CROSS JOIN LATERAL (
    SELECT attempt.attempt_id FROM attempt
    WHERE (attempt.attempt_id = asked.attempt_id OR attempt.reference = asked.reference)
      AND attempt.channel = asked.channel AND {_MAY_SPEAK.format(account="asked.account")}
    ORDER BY attempt.attempt_id = asked.attempt_id DESC NULLS LAST LIMIT 1
) AS found
CROSS JOIN LATERAL (
    SELECT {_MADE} FROM attempt AS made WHERE made.attempt_id = found.attempt_id
    UNION ALL
    SELECT {_MADE} FROM attempt AS made WHERE made.with_attempt = found.attempt_id
) AS called
ORDER BY asked.receipt_id, called.with_attempt IS NOT NULL, called.attempt_id"""  # noqa: S608  # a constant of ours

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
