"""Which visits and patients a client sees, each read through an index by the ids asked for."""

SEEN = """
SELECT a.appointment_id, a.source, first.source_id
FROM appointment a
LEFT JOIN LATERAL (
    SELECT i.source_id FROM appointment_alias i WHERE i.appointment_id = a.appointment_id
    ORDER BY i.is_further, i.source, i.source_id LIMIT 1
) AS first ON true
WHERE a.appointment_id = ANY ($1::uuid[])
  AND ($2::text[] IS NULL OR a.source = ANY ($2))
  AND ($3::text[] IS NULL OR a.clinic_id IS NULL OR a.clinic_id = ANY ($3))
"""

KEPT = (
    "SELECT coalesce((SELECT kept FROM kept_patients(ARRAY[$1::uuid])), patient_id) FROM patient WHERE patient_id = $1"
)
