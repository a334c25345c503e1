"""Statements about clinics."""

_CLINIC = """
SELECT clinic_id, version, name, zone, country, languages, sensitive, window_opens, window_closes, created_at, policies
FROM clinic
"""

CLINICS = f"{_CLINIC} WHERE clinic_id = ANY ($1::text[])"

LOCK_CLINIC = f"{_CLINIC} WHERE clinic_id = $1 FOR UPDATE"

CLINIC_IDS = """
SELECT source, system, value, clinic_id
FROM unnest($1::text[], $2::text[], $3::text[]) AS asked (source, system, value)
JOIN clinic_alias USING (source, system, value)
"""

ENTER_CLINIC = """
INSERT INTO clinic (clinic_id, version, name, zone, country, languages, sensitive, window_opens, window_closes,
                    created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (clinic_id) DO NOTHING
RETURNING clinic_id
"""

CHANGE_CLINIC = """
UPDATE clinic SET version = $2, name = $3, zone = $4, country = $5, languages = $6, sensitive = $7,
       window_opens = $8, window_closes = $9
WHERE clinic_id = $1
"""

DETAILS = "SELECT details, services FROM clinic_details WHERE clinic_id = $1"

CHANGE_DETAILS = """
INSERT INTO clinic_details (clinic_id, details, services) VALUES ($1, $2, $3)
ON CONFLICT (clinic_id) DO UPDATE SET details = excluded.details, services = excluded.services
"""

WRITE_CLINIC_ALIASES = """
INSERT INTO clinic_alias (source, system, value, clinic_id)
SELECT DISTINCT source, system, value, $4
FROM unnest($1::text[], $2::text[], $3::text[]) AS given (source, system, value)
ORDER BY source, system, value
ON CONFLICT (source, system, value) DO UPDATE SET clinic_id = excluded.clinic_id
WHERE clinic_alias.clinic_id = excluded.clinic_id
RETURNING source
"""
