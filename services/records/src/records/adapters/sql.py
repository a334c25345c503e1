"""The statements, by name. Columns come in parallel: the nth value of each makes the nth row.

A column travels as the text of an array, `{a,b,c}` (`store.column`): the driver examines each element
of a real array several times, 0.4 µs in all, where joining text costs 0.02 µs.
"""
# ruff: noqa: S608 - all that is put into these statements is constants of this file

_KEPT = """
SELECT count(*) AS kept,
       array_agg(id::text) FILTER (WHERE before IS NOT NULL) AS ids,
       array_agg(before) FILTER (WHERE before IS NOT NULL) AS versions,
       CASE WHEN count(*) < cardinality($1::text::uuid[])
            THEN array_agg(id::text) FILTER (WHERE before IS NULL) END AS fresh
FROM kept
"""
# kept: rows written; ids, versions: those that were held before, and at which version;
# fresh: those that were not held, told only when some rows were refused.

KEEP_APPOINTMENTS = f"""
WITH kept AS (
    INSERT INTO appointment AS held (appointment_id, version, patient_id, clinic_id)
    SELECT * FROM unnest($1::text::uuid[], $2::text::int[], $3::text::uuid[], $4::text::text[]) ORDER BY 1
    ON CONFLICT (appointment_id) DO UPDATE
    SET version = excluded.version, patient_id = excluded.patient_id, clinic_id = excluded.clinic_id
    WHERE held.version < excluded.version
    RETURNING held.appointment_id AS id, old.version AS before
) {_KEPT}"""

HELD_APPOINTMENTS = """
SELECT appointment_id::text AS id, version FROM appointment WHERE appointment_id = ANY($1::text::uuid[])"""

# A row of version 0 was made by a booking: it counts as not held.
KEEP_PATIENTS = f"""
WITH kept AS (
    INSERT INTO patient AS held (patient_id, version, main_file, merged_into)
    SELECT * FROM unnest($1::text::uuid[], $2::text::int[], $3::text::text[], $4::text::uuid[]) ORDER BY 1
    ON CONFLICT (patient_id) DO UPDATE
    SET version = excluded.version, main_file = excluded.main_file, merged_into = excluded.merged_into
    WHERE held.version < excluded.version
    RETURNING held.patient_id AS id, old.version AS before
) {_KEPT}"""

HELD_PATIENTS = "SELECT patient_id::text AS id, version FROM patient WHERE patient_id = ANY($1::text::uuid[])"

KEEP_PROVIDERS = f"""
WITH kept AS (
    INSERT INTO provider AS held (provider_id, version)
    SELECT * FROM unnest($1::text::uuid[], $2::text::int[]) ORDER BY 1
    ON CONFLICT (provider_id) DO UPDATE SET version = excluded.version
    WHERE held.version < excluded.version
    RETURNING held.provider_id AS id, old.version AS before
) {_KEPT}"""

HELD_PROVIDERS = "SELECT provider_id::text AS id, version FROM provider WHERE provider_id = ANY($1::text::uuid[])"

ERASE_PATIENTS = """
UPDATE patient SET main_file = NULL, merged_into = NULL WHERE patient_id = ANY($1::text::uuid[])"""

# LATERAL … LIMIT 1 keeps the plan a probe of the index for each pair, whatever the statistics say.
UNSETTLED = """
SELECT pair.patient_id::text, pair.clinic_id
FROM unnest($1::text::uuid[], $2::text::text[]) AS pair (patient_id, clinic_id)
LEFT JOIN LATERAL (
    SELECT file.provider_id, file.status FROM sub_file AS file
    WHERE file.patient_id = pair.patient_id AND file.clinic_id = pair.clinic_id
    ORDER BY file.ordinal DESC LIMIT 1
) AS newest ON true
WHERE newest.status IS NULL OR newest.provider_id IS NULL OR ($3 AND newest.status = 'CLOSED')"""

NEWEST = """
SELECT newest.sub_file_id::text
FROM unnest($1::text::uuid[], $2::text::text[]) AS pair (patient_id, clinic_id)
CROSS JOIN LATERAL (
    SELECT file.sub_file_id FROM sub_file AS file
    WHERE file.patient_id = pair.patient_id AND file.clinic_id = pair.clinic_id
    ORDER BY file.ordinal DESC LIMIT 1
) AS newest"""

ADD_PATIENTS = """
INSERT INTO patient (patient_id) SELECT * FROM unnest($1::text::uuid[]) ORDER BY 1 ON CONFLICT DO NOTHING"""

LOCK_PATIENTS = """
SELECT patient_id::text, main_file FROM patient WHERE patient_id = ANY($1::text::uuid[])
ORDER BY patient_id FOR NO KEY UPDATE"""

ADD_PROVIDERS = """
INSERT INTO provider (provider_id) SELECT * FROM unnest($1::text::uuid[]) ORDER BY 1 ON CONFLICT DO NOTHING"""

# Shared: sub-files of many patients may want one provider at once; his snapshot waits for all of them.
LOCK_PROVIDERS = """
SELECT provider_id::text, version FROM provider WHERE provider_id = ANY($1::text::uuid[])
ORDER BY provider_id FOR SHARE"""

_COLUMNS = """sub_file_id::text, version, status, number, patient_id::text, clinic_id, ordinal,
       provider_id::text, wanted_provider_id::text, appointment_id::text, caused_by"""

LOCK_SUB_FILES = f"""
SELECT {_COLUMNS} FROM sub_file WHERE sub_file_id = ANY($1::text::uuid[])
ORDER BY sub_file.sub_file_id FOR NO KEY UPDATE"""

LOCK_PARKED = f"""
SELECT {_COLUMNS} FROM sub_file WHERE patient_id = ANY($1::text::uuid[]) AND status = 'PARKED'
ORDER BY sub_file.sub_file_id FOR NO KEY UPDATE"""

LOCK_WANTING = f"""
SELECT {_COLUMNS} FROM sub_file WHERE wanted_provider_id = ANY($1::text::uuid[]) AND provider_id IS NULL
ORDER BY sub_file.sub_file_id FOR NO KEY UPDATE"""

INSERT = """
INSERT INTO sub_file (sub_file_id, version, status, number, patient_id, clinic_id, ordinal,
                      provider_id, wanted_provider_id, appointment_id, caused_by, created_at)
SELECT *, $12
FROM unnest($1::text::uuid[], $2::text::int[], $3::text::text[], $4::text::text[], $5::text::uuid[],
            $6::text::text[], $7::text::smallint[], $8::text::uuid[], $9::text::uuid[], $10::text::uuid[],
            $11::text::text[])
ORDER BY 1"""

UPDATE = """
UPDATE sub_file AS file
SET version = new.version, status = new.status, number = new.number,
    provider_id = new.provider_id, wanted_provider_id = new.wanted_provider_id, caused_by = new.caused_by
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::text[])
    AS new (sub_file_id, version, status, number, provider_id, wanted_provider_id, caused_by)
WHERE file.sub_file_id = new.sub_file_id"""

FIND = """
SELECT file.sub_file_id, file.version, file.status, file.number, file.patient_id, file.clinic_id,
       file.provider_id, file.appointment_id, file.created_at
FROM sub_file AS file
WHERE ($1::uuid IS NULL OR file.patient_id = $1)
  AND ($2::uuid IS NULL OR (file.patient_id, file.clinic_id) IN (
      SELECT seen.patient_id, seen.clinic_id FROM appointment AS seen WHERE seen.appointment_id = $2))
  AND ($3::text IS NULL OR file.clinic_id = $3)
  AND ($4::text IS NULL OR file.status = $4)
  AND ($5::uuid IS NULL OR file.sub_file_id > $5)
ORDER BY file.sub_file_id LIMIT $6"""

COUNT_PARKED = "SELECT count(*) FROM sub_file WHERE status = 'PARKED'"
