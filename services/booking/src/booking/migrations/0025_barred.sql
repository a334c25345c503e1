-- Deceased, do-not-contact, no consent (D44): each version says so, and a flag that changes gives the visits ahead their next one.

-- Locked in the order in which writers come to them: nobody waits in a ring.
LOCK TABLE ingress IN ACCESS EXCLUSIVE MODE;
LOCK TABLE patient, patient_merge IN SHARE ROW EXCLUSIVE MODE;
LOCK TABLE appointment_history IN ACCESS EXCLUSIVE MODE;

ALTER TABLE appointment_history ADD COLUMN barred text;

CREATE TABLE patient_reissue (
    reissue_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id uuid NOT NULL,
    caused_by  text NOT NULL,
    fence      xid8,
    looked     boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE patient_reissue IS
    'Patients whose flags changed, until their visits ahead say so: looked at once at once, and once when all transactions of before have ended.';
COMMENT ON COLUMN patient_reissue.fence IS
    'A transaction id younger than the change: once all up to it have ended, nobody still stamps the flags before it.';

-- Triggers, so that whoever writes is looked after, whatever release he is of. They run as their owner, whatever rights he has.

CREATE FUNCTION look_after_flags() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = booking, pg_temp AS $$
BEGIN
    -- The newest change audited is this one's cause, unless it is of another: the release before audits none.
    INSERT INTO patient_reissue (patient_id, caused_by)
    SELECT n.patient_id, coalesce(cause.caused_by, 'patient/' || n.patient_id)
    FROM is_now n JOIN was_before w USING (patient_id) LEFT JOIN LATERAL (
        SELECT s.flag, s.was, s.becomes, s.caused_by FROM safety_change s
        WHERE s.kind = 'patient' AND s.subject = n.patient_id::text ORDER BY s.change_id DESC LIMIT 1
    ) AS cause ON (cause.flag, cause.was, cause.becomes) IN (
        ('deceased', w.deceased, n.deceased), ('do_not_contact', w.do_not_contact, n.do_not_contact),
        ('consent', w.consent, n.consent)
    )
    WHERE (n.deceased, n.do_not_contact, n.consent) <> (w.deceased, w.do_not_contact, w.consent)
    ORDER BY n.patient_id;
    RETURN NULL;
END $$;
CREATE TRIGGER look_after_flags AFTER UPDATE ON patient REFERENCING OLD TABLE AS was_before NEW TABLE AS is_now
    FOR EACH STATEMENT EXECUTE FUNCTION look_after_flags();

CREATE FUNCTION look_after_merge() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = booking, pg_temp AS $$
BEGIN
    INSERT INTO patient_reissue (patient_id, caused_by)
    SELECT merged_into, merged_by || '/merge/' || source_id FROM merges ORDER BY patient_id;
    RETURN NULL;
END $$;
CREATE TRIGGER look_after_merge AFTER INSERT ON patient_merge REFERENCING NEW TABLE AS merges
    FOR EACH STATEMENT EXECUTE FUNCTION look_after_merge();
