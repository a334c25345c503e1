"""Statements about patients: each for a whole batch, its rows sorted by key."""

PATIENTS = """
SELECT source, source_id, patient_id
FROM unnest($1::text[], $2::text[]) AS asked (source, source_id)
JOIN patient_alias USING (source, source_id)
"""

MINT_PATIENTS = """
WITH minted AS (
    INSERT INTO patient_alias (source, source_id, patient_id)
    SELECT source, source_id, uuidv7()
    FROM unnest($1::text[], $2::text[]) AS asked (source, source_id)
    ORDER BY source, source_id
    ON CONFLICT DO NOTHING
    RETURNING source, source_id, patient_id
), kept AS (
    INSERT INTO patient (patient_id) SELECT patient_id FROM minted
)
SELECT source, source_id, patient_id FROM minted
"""

NAME_PATIENTS = """
WITH new AS MATERIALIZED (
    SELECT source, source_id, uuidv7() AS patient_id FROM unnest($1::text[], $2::text[]) AS first (source, source_id)
), asked AS (
    SELECT source, source_id, patient_id FROM new
    UNION ALL
    SELECT given.source, given.source_id, coalesce(given.patient_id, new.patient_id)
    FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[])
         AS given (source, source_id, first_source, first_id, patient_id)
    LEFT JOIN new ON new.source = given.first_source AND new.source_id = given.first_id
), named AS (
    INSERT INTO patient_alias (source, source_id, patient_id)
    SELECT source, source_id, patient_id FROM asked ORDER BY source, source_id
    ON CONFLICT DO NOTHING
    RETURNING source, source_id, patient_id
), kept AS (
    INSERT INTO patient (patient_id) SELECT patient_id FROM new
)
SELECT source, source_id, patient_id FROM named
"""

NAMES_OF_PATIENTS = "SELECT patient_id, source_id FROM patient_alias WHERE patient_id = ANY ($1::uuid[])"

FORGET_PATIENTS = """
WITH forgotten AS (
    DELETE FROM patient_alias USING unnest($1::text[], $2::text[]) AS asked (source, source_id)
    WHERE patient_alias.source = asked.source AND patient_alias.source_id = asked.source_id
    RETURNING patient_alias.patient_id
)
DELETE FROM patient USING forgotten WHERE patient.patient_id = forgotten.patient_id
"""

LOCK_PATIENTS = """
SELECT patient_id, version, main_file, given_name, family_name, language, mobile, email, consent,
       do_not_contact, deceased, contact_of, merged_into
FROM patient WHERE patient_id = ANY ($1::uuid[]) ORDER BY patient_id FOR UPDATE
"""

WRITE_PATIENTS = """
UPDATE patient SET version = given.version, main_file = given.main_file, given_name = given.given_name,
       family_name = given.family_name, language = given.language, mobile = given.mobile, email = given.email,
       consent = given.consent, do_not_contact = given.do_not_contact, deceased = given.deceased,
       contact_of = given.contact_of
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::boolean[], $10::boolean[], $11::boolean[], $12::text[])
     AS given (patient_id, version, main_file, given_name, family_name, language, mobile, email, consent,
               do_not_contact, deceased, contact_of)
WHERE patient.patient_id = given.patient_id
"""

BARRED = """
SELECT patient_id, deceased, do_not_contact, consent FROM patient
WHERE patient_id = ANY ($1::uuid[]) AND (deceased OR do_not_contact OR NOT consent)
"""

# Rows of the counters are locked by both until the transaction ends.
LOCK_COUNTERS = """
INSERT INTO main_file_counter AS held (year, last) SELECT year, 0 FROM unnest($1::int[]) AS wanted (year) ORDER BY year
ON CONFLICT (year) DO UPDATE SET last = held.last
"""

ADVANCE_COUNTER = """
INSERT INTO main_file_counter AS held (year, last) VALUES ($1, least($2::int, $3::int))
ON CONFLICT (year) DO UPDATE SET last = least(held.last + $2, $3)
RETURNING coalesce(old.last, 0) AS before, new.last AS until
"""

PUT_COUNTER_BACK = "UPDATE main_file_counter SET last = $2 WHERE year = $1"

# All numbers of a year are of one length, so their order as texts is their order.
NUMBERS_BETWEEN = "SELECT main_file FROM patient WHERE main_file > $1 AND main_file <= $2"

NUMBERS_TAKEN = "SELECT main_file FROM patient WHERE main_file = ANY ($1::text[])"

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

# Each visit under the one who is kept, of whomever it is.
REMINDED = """
WITH RECURSIVE file (kept, patient_id) AS (
    SELECT patient_id, patient_id FROM unnest($1::uuid[]) AS given (patient_id)
    UNION
    SELECT file.kept, m.patient_id FROM file CROSS JOIN LATERAL (
        SELECT patient_id FROM patient_merge WHERE merged_into = file.patient_id OFFSET 0
    ) m
)
SELECT file.kept, told.snapshot
FROM file CROSS JOIN LATERAL (
    SELECT appointment_id, version FROM appointment a
    WHERE a.patient_id = file.patient_id AND a.status = ANY ($2::text[]) AND a.starts_at > $3 OFFSET 0
) ahead CROSS JOIN LATERAL (
    SELECT snapshot FROM appointment_history h
    WHERE h.appointment_id = ahead.appointment_id AND h.version = ahead.version OFFSET 0
) told
LIMIT $4
"""
