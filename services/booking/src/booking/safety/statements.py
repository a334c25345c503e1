"""Statements about changes of safety flags."""

KEEP_FLAG_CHANGES = """
INSERT INTO safety_change (kind, subject, flag, was, becomes, changed_by, caused_by, changed_at)
SELECT kind, subject, flag, was, becomes, client, event, $8
FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::boolean[], $6::text[], $7::text[])
     WITH ORDINALITY AS given (kind, subject, flag, was, becomes, client, event, n)
ORDER BY n
"""

NAMED = "SELECT patient_id FROM patient_alias WHERE source = $1 AND source_id = $2"
IS_NAMED_BY = "SELECT EXISTS (SELECT FROM patient_alias WHERE patient_id = $1 AND source = ANY ($2::text[]))"
_COLUMNS = "change_id, kind, subject, flag, was, becomes, changed_at, changed_by, caused_by"
_NEWEST = "AND ($2::bigint IS NULL OR change_id < $2) ORDER BY change_id DESC LIMIT $3"
OF_PATIENT = f"""
WITH RECURSIVE file AS (
    SELECT $1::uuid AS patient_id
    UNION
    SELECT m.patient_id FROM file JOIN patient_merge m ON m.merged_into = file.patient_id
)
SELECT {_COLUMNS} FROM safety_change
WHERE kind = 'patient' AND subject IN (SELECT patient_id::text FROM file) {_NEWEST}"""  # noqa: S608  # constants
OF_CLINIC = f"SELECT {_COLUMNS} FROM safety_change WHERE kind = 'clinic' AND subject = $1 {_NEWEST}"  # noqa: S608
