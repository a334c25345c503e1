"""Every statement of the providers' inboxes."""

INBOX = """
SELECT number, notification_id, kind, appointment_id, title, body, patient_name, starts_at, zone, service_type, link,
       visits, created_at, read_at
FROM inbox WHERE provider_id = $1 AND number > $2 AND (NOT $4 OR read_at IS NULL) ORDER BY number LIMIT $3"""

UNREAD = "SELECT count(*) FROM inbox WHERE provider_id = $1 AND read_at IS NULL"

MARK_READ = """
UPDATE inbox SET read_at = coalesce(read_at, $3) WHERE provider_id = $1 AND number = $2 RETURNING read_at"""

MARK_UNREAD = "UPDATE inbox SET read_at = NULL WHERE provider_id = $1 AND number = $2 RETURNING number"

MARK_ALL_READ = """
UPDATE inbox SET read_at = $3 WHERE provider_id = $1 AND number <= $2 AND read_at IS NULL RETURNING number"""

ISSUE = """
INSERT INTO inbox_token (token_id, token_sha256, provider_id, label, issued_at) VALUES ($1, $2, $3, $4, $5)"""

ISSUED = """
SELECT token_id, provider_id, label, issued_at, revoked_at
FROM inbox_token WHERE provider_id = $1 ORDER BY issued_at, token_id"""

REVOKE = """
UPDATE inbox_token SET revoked_at = coalesce(revoked_at, $3)
WHERE provider_id = $1 AND token_id = $2 RETURNING token_id, provider_id, label, issued_at, revoked_at"""

WHOSE = "SELECT provider_id FROM inbox_token WHERE token_sha256 = $1 AND revoked_at IS NULL"

NEWEST = "SELECT provider_id, last_number FROM inbox_provider WHERE provider_id = ANY ($1::uuid[])"

STANDING = "SELECT token_sha256 FROM inbox_token WHERE token_sha256 = ANY ($1::bytea[]) AND revoked_at IS NULL"

ADD_PROVIDERS = """
INSERT INTO inbox_provider (provider_id) SELECT DISTINCT id FROM unnest($1::uuid[]) AS new (id) ORDER BY id
ON CONFLICT DO NOTHING"""

LOCK_PROVIDERS = """
SELECT provider_id FROM inbox_provider WHERE provider_id = ANY($1::uuid[]) ORDER BY provider_id FOR NO KEY UPDATE"""

NUMBER = """
UPDATE inbox_provider AS provider SET last_number = last_number + more.count
FROM unnest($1::uuid[], $2::bigint[]) AS more (provider_id, count)
WHERE provider.provider_id = more.provider_id
RETURNING provider.provider_id, provider.last_number - more.count"""

# The numbers follow the order given; the provider's row is locked by the statement before.
DELIVER_IN_APP = """
WITH given AS (
    SELECT provider_id, notification_id, kind, appointment_id, title, body, patient_name, starts_at, zone,
           service_type, link, visits, row_number() OVER (PARTITION BY provider_id ORDER BY n) AS nth
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[],
                $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::text[]::jsonb[]) WITH ORDINALITY
        AS entry (provider_id, notification_id, kind, appointment_id, title, body, patient_name, starts_at, zone,
                  service_type, link, visits, n)
), numbered AS (
    UPDATE inbox_provider AS provider SET last_number = last_number + more.count
    FROM (SELECT provider_id, count(*) AS count FROM given GROUP BY provider_id) AS more
    WHERE provider.provider_id = more.provider_id
    RETURNING provider.provider_id, provider.last_number - more.count AS before
)
INSERT INTO inbox (provider_id, number, notification_id, kind, appointment_id, title, body, patient_name, starts_at,
                   zone, service_type, link, visits, created_at)
SELECT given.provider_id, numbered.before + given.nth, notification_id, kind, appointment_id, title, body,
       patient_name, starts_at, zone, service_type, link, visits, $13
FROM given JOIN numbered USING (provider_id)"""
