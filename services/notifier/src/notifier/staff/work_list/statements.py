"""The statements of the work list."""

# What waits for a person: messages to patients that failed, may have arrived or found no patient or contact; notices to
# providers whom nobody knows; but for those that somebody has sent again or dropped. Of visits that start at or after
# $1; what waits to say that a visit stands, while it does. Soonest visit first, after the place ($5, $6).
LIST = """
SELECT n.notification_id, n.appointment_id, coalesce(n.clinic_id, a.clinic_id) AS clinic_id, n.kind, n.state, n.reason,
       n.lane AS channel, n.steps, n.attempts, n.ordinal, n.created_at, n.changed_at, n.not_after, a.starts_at,
       a.patient_id, last.code
FROM notification AS n JOIN appointment AS a USING (appointment_id)
LEFT JOIN attempt AS last ON last.attempt_id = n.attempt_id
WHERE (n.recipient = 'patient' AND n.state IN ('failed', 'unknown')
       OR n.recipient = 'patient' AND n.state = 'skipped' AND n.reason IN ('NO_CONTACT', 'UNKNOWN_PATIENT')
       OR n.recipient_id IS NOT NULL AND n.state = 'skipped' AND n.reason = 'UNKNOWN_PROVIDER')
  AND (n.state <> 'skipped' OR n.kind IN ('cancelled', 'provider-cancelled') OR a.status = 'booked')
  AND a.starts_at >= $1
  AND ($2::text IS NULL OR coalesce(n.clinic_id, a.clinic_id) = $2)
  AND ($3::text IS NULL OR n.reason = $3)
  AND ($4::text IS NULL OR n.state = $4)
  AND ($5::timestamptz IS NULL OR (a.starts_at, n.notification_id) > ($5, $6::uuid))
  AND NOT EXISTS (SELECT FROM work_list_action AS done
                  WHERE done.notification_id = n.notification_id AND done.action IN ('resend', 'drop'))
ORDER BY a.starts_at, n.notification_id LIMIT $7"""

# An answer that several clinics may have caused is on each one's list; one of which nobody knows, on every list.
REPLIES = """
SELECT reply_id, channel, text, meaning, why, appointment_id, clinic_id, received_at
FROM reply WHERE why IS NOT NULL AND done_at IS NULL
  AND ($1::text IS NULL OR clinic_id = $1 OR $1 = ANY(clinic_ids) OR (clinic_id IS NULL AND clinic_ids = '{}'))
ORDER BY received_at, reply_id LIMIT $2"""

NAMES = """
SELECT appointment_id, nullif(concat_ws(' ', given_name, family_name), '') AS patient_name, zone
FROM booking.send_gate($1::uuid[])"""

ACTS = """
SELECT notification_id, action, arrived, resent_as, acted_by, acted_at, attempt_id FROM work_list_action
WHERE notification_id = ANY($1::uuid[]) ORDER BY action_id"""

NAMED = """
SELECT n.notification_id, n.appointment_id, coalesce(n.clinic_id, a.clinic_id) AS clinic_id, n.kind,
       n.lane AS channel, n.state, a.starts_at
FROM notification AS n LEFT JOIN appointment AS a USING (appointment_id)
WHERE n.notification_id BETWEEN $1 AND $2 ORDER BY n.notification_id LIMIT 10"""

NOTE = """
INSERT INTO work_list_action (notification_id, attempt_id, action, arrived, resent_as, acted_by, acted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)"""

# Whose last attempts are of the call of this one's last attempt (decision 0050). Those that somebody has sent again or
# dropped are off the list by that: what is found out later of the call must not send them once more.
OF_ONE_CALL = """
WITH asked AS (
    SELECT coalesce(made.with_attempt, made.attempt_id) AS lead
    FROM notification AS one JOIN attempt AS made ON made.attempt_id = one.attempt_id WHERE one.notification_id = $1
)
SELECT one.notification_id
FROM asked JOIN attempt AS made ON made.attempt_id = asked.lead OR made.with_attempt = asked.lead
JOIN notification AS one ON one.notification_id = made.notification_id AND one.attempt_id = made.attempt_id
WHERE NOT EXISTS (SELECT FROM work_list_action AS done
                  WHERE done.notification_id = one.notification_id AND done.action IN ('resend', 'drop'))"""

CLOSE_BY_A_PERSON = """
UPDATE attempt SET outcome = $2, code = $3, answered_at = clock_timestamp(), settled_at = $4
WHERE attempt_id = ANY($1::uuid[]) AND outcome = 'unknown'"""
