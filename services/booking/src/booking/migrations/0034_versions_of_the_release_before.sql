-- A version of the release before, which knows no `barred`, is told from one that says that nothing bars: by the default.
ALTER TABLE appointment_history ALTER barred SET DEFAULT 'UNSAID';
COMMENT ON COLUMN appointment_history.barred IS
    'Why no message may go to the patient, as this version says it; null: one may. UNSAID: the release before wrote it; '
    'what it wrote until it lived beside this one is null.';

-- The newest version of a visit is then that of somebody to whom no message may go, and does not say so (D44).
-- It goes, and the default with it, one release later (decision 0020).
CREATE FUNCTION look_after_unsaid() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = booking, pg_temp AS $$
BEGIN
    -- Visits one by one by key, whatever the planner thinks of the tables' sizes.
    INSERT INTO patient_reissue (patient_id, caused_by)
    WITH unsaid AS MATERIALIZED (
        SELECT a.patient_id, a.caused_by FROM versions v CROSS JOIN LATERAL (
            SELECT patient_id, caused_by FROM appointment WHERE appointment_id = v.appointment_id OFFSET 0
        ) a
        WHERE v.barred = 'UNSAID'
    ), merged AS MATERIALIZED (
        SELECT m.away, m.kept FROM kept_patients(ARRAY(SELECT patient_id FROM unsaid)) m
    )
    SELECT DISTINCT ON (p.patient_id) p.patient_id, coalesce(u.caused_by, 'patient/' || p.patient_id)
    FROM unsaid u LEFT JOIN merged m ON m.away = u.patient_id CROSS JOIN LATERAL (
        SELECT patient_id FROM patient
        WHERE patient_id = coalesce(m.kept, u.patient_id) AND (deceased OR do_not_contact OR NOT consent) OFFSET 0
    ) p
    ORDER BY p.patient_id;
    RETURN NULL;
END $$;
CREATE TRIGGER look_after_unsaid AFTER INSERT ON appointment_history REFERENCING NEW TABLE AS versions
    FOR EACH STATEMENT EXECUTE FUNCTION look_after_unsaid();
