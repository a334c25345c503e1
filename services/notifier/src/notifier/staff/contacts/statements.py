"""The statements of the contact quality list."""

# The soonest visit ahead of each patient, booked, after the place ($3, $4).
VISITS = """
SELECT a.appointment_id, a.starts_at FROM appointment AS a
WHERE a.status = 'booked' AND a.starts_at > $1 AND ($2::text IS NULL OR a.clinic_id = $2)
  AND ($3::timestamptz IS NULL OR (a.starts_at, a.appointment_id) > ($3, $4::uuid))
  AND NOT EXISTS (
      SELECT FROM appointment AS sooner
      WHERE sooner.patient_id = a.patient_id AND sooner.status = 'booked' AND sooner.starts_at > $1
        AND ($2::text IS NULL OR sooner.clinic_id = $2)
        AND (sooner.starts_at, sooner.appointment_id) < (a.starts_at, a.appointment_id))
ORDER BY a.starts_at, a.appointment_id LIMIT $5"""

PREFERENCES = "SELECT patient_id, whatsapp, sms, email FROM preference WHERE patient_id = ANY($1::uuid[])"

# What the newest answered call to each key or plain hash of an address came to, since $3; oldest first.
EVIDENCE = """
SELECT channel, key, came_to FROM (
    SELECT DISTINCT ON (channel, coalesce(address_key, address_sha256)) channel,
           coalesce(address_key, address_sha256) AS key, called_at, ordinal,
           CASE WHEN outcome = 'accepted' THEN delivery_state ELSE outcome END AS came_to
    FROM attempt
    WHERE (address_key = ANY($1::bytea[]) OR address_sha256 = ANY($2::bytea[])) AND called_at >= $3
      AND outcome IN ('accepted', 'rejected')
    ORDER BY channel, coalesce(address_key, address_sha256), called_at DESC, ordinal DESC
) AS newest ORDER BY called_at, ordinal"""
