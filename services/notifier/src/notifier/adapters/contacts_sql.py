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

OPTED_OUT = """
SELECT channel, address_sha256 FROM opt_out
WHERE category = 'reminders' AND address_sha256 = ANY($1::bytea[])"""

# What the newest answered call to each address came to, since $2.
EVIDENCE = """
SELECT DISTINCT ON (channel, address_sha256) channel, address_sha256,
       CASE WHEN outcome = 'accepted' THEN delivery_state ELSE outcome END AS came_to
FROM attempt
WHERE address_sha256 = ANY($1::bytea[]) AND called_at >= $2 AND outcome IN ('accepted', 'rejected')
ORDER BY channel, address_sha256, called_at DESC, ordinal DESC"""
