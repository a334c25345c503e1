-- A patient by himself, for whom the notifier has news of a visit that is not his any more: he is told that it does not
-- stand. Of one who was merged away, the one who is kept. As the send gate: no lock, every change committed before it.
CREATE FUNCTION person_gate(patient_ids uuid[])
RETURNS TABLE (
    asked_id uuid, patient_id uuid, registered boolean, given_name text, family_name text, language text,
    mobile text, email text, consent boolean, do_not_contact boolean, deceased boolean
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = booking, pg_temp
AS $$
    WITH merged AS MATERIALIZED (SELECT m.away, m.kept FROM kept_patients(patient_ids) m)
    SELECT asked.id, p.patient_id, p.main_file IS NOT NULL, p.given_name, p.family_name, p.language,
           p.mobile, p.email, p.consent, p.do_not_contact, p.deceased
    FROM (SELECT DISTINCT unnest(patient_ids)) AS asked (id)
    LEFT JOIN merged m ON m.away = asked.id
    JOIN patient p ON p.patient_id = coalesce(m.kept, asked.id)
$$;
COMMENT ON FUNCTION person_gate IS 'Contact and consent of patients as of now, by the id asked for.';

REVOKE ALL ON FUNCTION person_gate(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION person_gate(uuid[]) TO attend_notifier;
