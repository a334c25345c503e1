"""The statements of patients' answers."""

from notifier.opt_outs.statements import OF_ADDRESS, OVERLAP

# Two copies of one message at once: the second waits here, and then finds the first.
LOCK_REPLY = "SELECT pg_advisory_xact_lock(hashtextextended('reply/' || $1::text, 0))"

# Two answers of one number at once: the second counts the wrong code of the first. Taken after the lock above, always.
LOCK_NUMBER = "SELECT pg_advisory_xact_lock(hashtextextended('number/' || encode($1::bytea, 'hex'), 0))"

WRONG_CODES = f"SELECT count(*) FROM reply WHERE {OF_ADDRESS} AND why = 'WRONG_CODE' AND received_at > $3"  # noqa: S608  # ours

ANSWERED = f"SELECT EXISTS (SELECT FROM reply WHERE {OF_ADDRESS} AND said_back IS NOT NULL AND received_at > $3)"  # noqa: S608  # ours

# Whom the message went to that is answered here: the carrier's number for him may be written otherwise.
RECIPIENT = """
SELECT address_key FROM attempt
WHERE reference = $1 AND channel = $2 AND ($3::text IS NULL OR account IS NULL OR account = $3) LIMIT 1"""

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
                   sender_user_id, said_back)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, CASE WHEN {OVERLAP} THEN $14::bytea END,
       $15, $16"""

_REPLY = """reply_id, channel, sender, sender_user_id, text, meaning, verdict, why, appointment_id, clinic_id,
       said_back, received_at, done_at, done_by"""

REPLIES = f"""
SELECT {_REPLY}
FROM reply WHERE ($1::boolean IS NOT TRUE OR (why IS NOT NULL AND done_at IS NULL))
  AND ($2::timestamptz IS NULL OR (received_at, reply_id) < ($2, $3::uuid))
ORDER BY received_at DESC, reply_id DESC LIMIT $4"""  # noqa: S608  # a constant of ours

DONE_REPLY = f"""
UPDATE reply SET done_at = coalesce(done_at, $2), done_by = coalesce(done_by, $3) WHERE reply_id = $1
RETURNING {_REPLY}"""  # noqa: S608  # a constant of ours
