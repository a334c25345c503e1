"""The statements of patients' preferences."""

# What is said first has no row to lock yet.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('preferences ' || $1::text, 0))"

PUT = """
WITH newest AS (
    INSERT INTO preference AS held (patient_id, version, whatsapp, sms, email, changed_at)
    VALUES ($1, 1, $2, $3, $4, $5)
    ON CONFLICT (patient_id) DO UPDATE
    SET version = held.version + 1, whatsapp = excluded.whatsapp, sms = excluded.sms, email = excluded.email,
        changed_at = excluded.changed_at
    RETURNING patient_id, version, whatsapp, sms, email, changed_at
)
INSERT INTO preference_history (patient_id, version, whatsapp, sms, email, changed_at, changed_by)
SELECT patient_id, version, whatsapp, sms, email, changed_at, $6 FROM newest
RETURNING patient_id, version, whatsapp, sms, email, changed_at, changed_by"""

AS_OF = """
SELECT patient_id, version, whatsapp, sms, email, changed_at, changed_by FROM preference_history
WHERE patient_id = $1 AND ($2::timestamptz IS NULL OR changed_at <= $2) AND ($3::int IS NULL OR version = $3)
ORDER BY version DESC LIMIT 1"""

HISTORY = """
SELECT patient_id, version, whatsapp, sms, email, changed_at, changed_by FROM preference_history
WHERE patient_id = $1 ORDER BY version DESC LIMIT $2"""
