"""Statements about patients."""

VISITED = """
WITH RECURSIVE file AS (
    SELECT asked AS patient_id, asked FROM unnest($1::uuid[]) AS asked
    UNION
    SELECT m.patient_id, file.asked FROM file JOIN patient_merge m ON m.merged_into = file.patient_id
)
SELECT file.asked, array_agg(DISTINCT a.clinic_id) AS clinics
FROM file JOIN appointment a USING (patient_id)
WHERE a.version > 0 AND a.clinic_id IS NOT NULL AND a.status <> 'entered-in-error'
GROUP BY file.asked
"""
