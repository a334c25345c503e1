"""The statements, by name. Columns come in parallel, as arrays: the nth value of each makes the nth row."""

from functools import cache

# ruff: noqa: S608 - all that is put into these statements is constants of this file

_KEPT = """
SELECT count(*) AS kept,
       array_agg(id::text) FILTER (WHERE before IS NOT NULL) AS ids,
       array_agg(before) FILTER (WHERE before IS NOT NULL) AS versions,
       CASE WHEN count(*) < cardinality($1::uuid[])
            THEN array_agg(id::text) FILTER (WHERE before IS NULL) END AS fresh
FROM kept
"""
# kept: rows written; ids, versions: those that were held before, and at which version;
# fresh: those that were not held, returned only when some rows were refused.

KEEP_APPOINTMENTS = f"""
WITH kept AS (
    INSERT INTO appointment AS held (appointment_id, version, patient_id, clinic_id)
    SELECT appointment_id, version, patient_id, clinic_id
    FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[]) AS told (appointment_id, version, patient_id, clinic_id)
    ORDER BY appointment_id
    ON CONFLICT (appointment_id) DO UPDATE
    SET version = excluded.version, patient_id = excluded.patient_id, clinic_id = excluded.clinic_id
    WHERE held.version < excluded.version
    RETURNING held.appointment_id AS id, old.version AS before
) {_KEPT}"""

HELD_APPOINTMENTS = """
SELECT held.appointment_id::text AS id, held.version
FROM unnest($1::uuid[]) AS wanted (id) JOIN appointment AS held ON held.appointment_id = wanted.id"""

# A row of version 0 was made by a booking: it counts as not held.
KEEP_PATIENTS = f"""
WITH kept AS (
    INSERT INTO patient AS held (patient_id, version, main_file, merged_into)
    SELECT patient_id, version, main_file, merged_into
    FROM unnest($1::uuid[], $2::int[], $3::text[], $4::uuid[]) AS told (patient_id, version, main_file, merged_into)
    ORDER BY patient_id
    ON CONFLICT (patient_id) DO UPDATE
    SET version = excluded.version, main_file = excluded.main_file, merged_into = excluded.merged_into
    WHERE held.version < excluded.version
    RETURNING held.patient_id AS id, old.version AS before
) {_KEPT}"""

HELD_PATIENTS = """
SELECT held.patient_id::text AS id, held.version
FROM unnest($1::uuid[]) AS wanted (id) JOIN patient AS held ON held.patient_id = wanted.id"""

KEEP_PROVIDERS = f"""
WITH kept AS (
    INSERT INTO provider AS held (provider_id, version)
    SELECT provider_id, version FROM unnest($1::uuid[], $2::int[]) AS told (provider_id, version) ORDER BY provider_id
    ON CONFLICT (provider_id) DO UPDATE SET version = excluded.version
    WHERE held.version < excluded.version
    RETURNING held.provider_id AS id, old.version AS before
) {_KEPT}"""

HELD_PROVIDERS = """
SELECT held.provider_id::text AS id, held.version
FROM unnest($1::uuid[]) AS wanted (id) JOIN provider AS held ON held.provider_id = wanted.id"""

ERASE_PATIENTS = """
UPDATE patient SET main_file = NULL, merged_into = NULL
FROM unnest($1::uuid[]) AS wanted (id) WHERE patient.patient_id = wanted.id"""

# LATERAL … LIMIT 1 keeps the plan a probe of the index for each pair, whatever the statistics say.
UNSETTLED = """
SELECT pair.patient_id::text, pair.clinic_id
FROM unnest($1::uuid[], $2::text[]) AS pair (patient_id, clinic_id)
LEFT JOIN LATERAL (
    SELECT file.provider_id, file.status FROM sub_file AS file
    WHERE file.patient_id = pair.patient_id AND file.clinic_id = pair.clinic_id
    ORDER BY file.ordinal DESC LIMIT 1
) AS newest ON true
WHERE newest.status IS NULL OR newest.provider_id IS NULL OR ($3 AND newest.status = 'CLOSED')"""

NEWEST = """
SELECT newest.sub_file_id::text
FROM unnest($1::uuid[], $2::text[]) AS pair (patient_id, clinic_id)
CROSS JOIN LATERAL (
    SELECT file.sub_file_id FROM sub_file AS file
    WHERE file.patient_id = pair.patient_id AND file.clinic_id = pair.clinic_id
    ORDER BY file.ordinal DESC LIMIT 1
) AS newest"""

# One pass in the order of ids, for rows that are there (locked, not changed: WHERE false) and rows that are not.
# Two passes, insert then lock, would make a ring with the one pass of KEEP_PATIENTS.
LOCK_PATIENTS = """
INSERT INTO patient AS held (patient_id) SELECT id FROM unnest($1::uuid[]) AS wanted (id) ORDER BY id
ON CONFLICT (patient_id) DO UPDATE SET version = held.version WHERE false"""

MAIN_FILES = """
SELECT held.patient_id::text, held.main_file
FROM unnest($1::uuid[]) AS wanted (id) JOIN patient AS held ON held.patient_id = wanted.id
WHERE held.main_file IS NOT NULL"""

# Both sides make missing rows first and lock then: a share lock cannot be had by inserting.
ADD_PROVIDERS = """
INSERT INTO provider (provider_id) SELECT id FROM unnest($1::uuid[]) AS wanted (id) ORDER BY id
ON CONFLICT DO NOTHING"""

# Shared: sub-files of many patients may want one provider at once; his snapshot waits for all of them.
LOCK_PROVIDERS = """
SELECT held.provider_id::text, held.version
FROM unnest($1::uuid[]) AS wanted (id) JOIN provider AS held ON held.provider_id = wanted.id
ORDER BY held.provider_id FOR SHARE OF held"""

_LOCKED = """
SELECT file.sub_file_id::text, file.version, file.status, file.number, file.patient_id::text, file.clinic_id,
       file.ordinal, file.provider_id::text, file.wanted_provider_id::text, file.appointment_id::text, file.caused_by
FROM unnest($1::uuid[]) AS wanted (id) JOIN sub_file AS file
"""
_LOCK = "ORDER BY file.sub_file_id FOR NO KEY UPDATE OF file"

LOCK_SUB_FILES = f"{_LOCKED} ON file.sub_file_id = wanted.id {_LOCK}"

LOCK_PARKED = f"{_LOCKED} ON file.patient_id = wanted.id AND file.status = 'PARKED' {_LOCK}"

LOCK_WANTING = f"{_LOCKED} ON file.wanted_provider_id = wanted.id AND file.provider_id IS NULL {_LOCK}"

INSERT = """
INSERT INTO sub_file (sub_file_id, version, status, number, patient_id, clinic_id, ordinal,
                      provider_id, wanted_provider_id, appointment_id, caused_by, created_at)
SELECT sub_file_id, version, status, number, patient_id, clinic_id, ordinal, provider_id, wanted_provider_id,
       appointment_id, caused_by, $12
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::uuid[],
            $6::text[], $7::smallint[], $8::uuid[], $9::uuid[], $10::uuid[],
            $11::text[])
    AS new (sub_file_id, version, status, number, patient_id, clinic_id, ordinal, provider_id, wanted_provider_id,
            appointment_id, caused_by)
ORDER BY sub_file_id"""

UPDATE = """
UPDATE sub_file AS file
SET version = new.version, status = new.status, number = new.number,
    provider_id = new.provider_id, wanted_provider_id = new.wanted_provider_id, caused_by = new.caused_by
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::text[])
    AS new (sub_file_id, version, status, number, provider_id, wanted_provider_id, caused_by)
WHERE file.sub_file_id = new.sub_file_id"""

_FOUND_BY = {
    "patient": "file.patient_id = ${}::uuid",
    "appointment": """(file.patient_id, file.clinic_id) IN (
      SELECT seen.patient_id, seen.clinic_id FROM appointment AS seen WHERE seen.appointment_id = ${}::uuid)""",
    "clinic": "file.clinic_id = ${}::text",
    "status": "file.status = ${}::text",
    "after": "file.sub_file_id > ${}::uuid",
}


@cache
def find(*given: str) -> str:
    """Return the statement for the filters given, in their order, and then the limit.

    One for each choice: a plan that must serve a filter that may be left out reads everything.
    """
    conditions = " AND ".join(_FOUND_BY[name].format(number) for number, name in enumerate(given, 1))
    return f"""
SELECT file.sub_file_id, file.version, file.status, file.number, file.patient_id, file.clinic_id,
       file.provider_id, file.appointment_id, file.created_at
FROM sub_file AS file WHERE {conditions} ORDER BY file.sub_file_id LIMIT ${len(given) + 1}"""


COUNT_PARKED = "SELECT count(*) FROM sub_file WHERE status = 'PARKED'"
