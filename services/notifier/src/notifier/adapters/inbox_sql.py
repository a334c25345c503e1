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
