"""Every statement of the notifier. Set-based, rows sorted by key."""

HELD = """
SELECT appointment_id::text, version, status, schedule_gen
FROM appointment WHERE appointment_id = ANY($1::text[]::uuid[])"""

KEEP = """
INSERT INTO appointment AS held (appointment_id, version, status, schedule_gen, starts_at, provider_id)
SELECT * FROM unnest($1::text[]::uuid[], $2::int[], $3::text[], $4::int[], $5::timestamptz[], $6::text[]::uuid[])
ORDER BY 1
ON CONFLICT (appointment_id) DO UPDATE
SET version = excluded.version, status = excluded.status, schedule_gen = excluded.schedule_gen,
    starts_at = excluded.starts_at, provider_id = excluded.provider_id
WHERE held.version < excluded.version"""

KNOWN = "SELECT notification_id FROM notification WHERE notification_id = ANY($1::uuid[])"

GATE = """
SELECT appointment_id, version, status, schedule_gen, starts_at, ends_at, zone, service_type,
       patient_id, registered, given_name, family_name, language, mobile, email, consent, do_not_contact, deceased,
       clinic_id, clinic_name, clinic_languages, clinic_sensitive, window_opens,
       window_closes, provider_id, provider_name
FROM booking.send_gate($1::uuid[])"""

INSERT = """
INSERT INTO notification (notification_id, version, kind, recipient, appointment_id, schedule_gen, reminder_id,
                          caused_by, state, lane, not_after, next_attempt_at, reason, clinic_id, ordinal, steps,
                          accepted_at, replaces, created_at, changed_at)
SELECT *, $19, $19
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::uuid[], $6::int[], $7::uuid[], $8::text[], $9::text[],
            $10::text[], $11::timestamptz[], $12::timestamptz[], $13::text[], $14::text[], $15::int[],
            $16::text[]::jsonb[],
            $17::timestamptz[], $18::uuid[])
ORDER BY 1 ON CONFLICT DO NOTHING"""

ADD_PROVIDERS = """
INSERT INTO inbox_provider (provider_id) SELECT DISTINCT * FROM unnest($1::uuid[]) ORDER BY 1 ON CONFLICT DO NOTHING"""

LOCK_PROVIDERS = """
SELECT provider_id FROM inbox_provider WHERE provider_id = ANY($1::uuid[]) ORDER BY provider_id FOR NO KEY UPDATE"""

# The numbers follow the order given; the provider's row is locked by the statement before.
DELIVER_IN_APP = """
WITH given AS (
    SELECT provider_id, notification_id, appointment_id, title, body, patient_name, starts_at, zone, service_type, link,
           row_number() OVER (PARTITION BY provider_id ORDER BY n) AS nth
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::text[],
                $9::text[], $10::text[]) WITH ORDINALITY
        AS entry (provider_id, notification_id, appointment_id, title, body, patient_name, starts_at, zone,
                  service_type, link, n)
), numbered AS (
    UPDATE inbox_provider AS provider SET last_number = last_number + more.count
    FROM (SELECT provider_id, count(*) AS count FROM given GROUP BY provider_id) AS more
    WHERE provider.provider_id = more.provider_id
    RETURNING provider.provider_id, provider.last_number - more.count AS before
)
INSERT INTO inbox (provider_id, number, notification_id, appointment_id, title, body, patient_name, starts_at, zone,
                   service_type, link, created_at)
SELECT given.provider_id, numbered.before + given.nth, notification_id, appointment_id, title, body, patient_name,
       starts_at, zone, service_type, link, $11
FROM given JOIN numbered USING (provider_id)"""

SENDING_MODE = "SELECT mode FROM sending_mode"

COUNT_STATE = "SELECT count(*) FROM notification WHERE state = $1"

MACHINE_TIME = "SELECT clock_timestamp()"

FIND_NOTIFICATIONS = """
SELECT one.notification_id, one.appointment_id, one.kind, one.recipient, one.state, one.lane AS channel, one.reason,
       one.schedule_gen, one.reminder_id, one.attempts, one.not_after, one.next_attempt_at, one.caused_by,
       one.created_at, one.changed_at, one.delivery_state, one.steps, one.ordinal, one.clinic_id, one.accepted_at
FROM notification AS one WHERE one.appointment_id = $1 ORDER BY one.created_at, one.notification_id"""

FIND_ATTEMPTS = """
SELECT attempt_id, notification_id, ordinal, channel, gated_version, gated_at, answered_at, outcome, code,
       delivery_state, preference_version
FROM attempt WHERE notification_id = ANY($1::uuid[]) ORDER BY ordinal"""

INBOX = """
SELECT number, notification_id, appointment_id, title, body, patient_name, starts_at, zone, service_type, link,
       created_at, read_at
FROM inbox WHERE provider_id = $1 AND number > $2 AND (NOT $4 OR read_at IS NULL) ORDER BY number LIMIT $3"""

MARK_READ = """
UPDATE inbox SET read_at = coalesce(read_at, $3) WHERE provider_id = $1 AND number = $2 RETURNING read_at"""
