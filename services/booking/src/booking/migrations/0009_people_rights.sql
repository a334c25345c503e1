-- Who enters and changes clinics and clinicians needs a right of its own (G9): nobody has it until it is given.
ALTER TABLE api_client ADD COLUMN may_manage_clinics boolean NOT NULL DEFAULT false;

-- Whose visits are a patient's: his own, and those of the files that were merged into his.
CREATE INDEX patient_merge_into ON patient_merge (merged_into);

CREATE FUNCTION kept_patients(patient_ids uuid[]) RETURNS TABLE (away uuid, kept uuid) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE way AS (
        SELECT m.patient_id AS away, m.merged_into AS kept FROM patient_merge m WHERE m.patient_id = ANY (patient_ids)
        UNION
        SELECT way.away, m.merged_into FROM way JOIN patient_merge m ON m.patient_id = way.kept
    )
    SELECT way.away, way.kept FROM way WHERE NOT EXISTS (SELECT FROM patient_merge m WHERE m.patient_id = way.kept)
$$;
COMMENT ON FUNCTION kept_patients IS 'Of those among these who were merged away, the one who is kept in the end.';
REVOKE ALL ON FUNCTION kept_patients(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kept_patients(uuid[]) TO attend_booking;
