-- The send gate never speaks of a patient who was merged away: a visit that still carries his id is the kept one's.
CREATE OR REPLACE FUNCTION send_gate(appointment_ids uuid[])
RETURNS TABLE (
    appointment_id uuid, version int, status text, schedule_gen int, mode text,
    starts_at timestamptz, ends_at timestamptz, zone text, service_type text, first_booked_at timestamptz,
    patient_id uuid, registered boolean, given_name text, family_name text, language text,
    mobile text, email text, consent boolean, do_not_contact boolean, deceased boolean,
    clinic_id text, clinic_name text, clinic_languages text[], clinic_sensitive boolean,
    window_opens time, window_closes time,
    provider_id uuid, provider_name text
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = booking, pg_temp
AS $$
    WITH asked AS MATERIALIZED (
        SELECT o.appointment_id, o.version, o.status, o.schedule_gen, o.mode, o.starts_at, o.ends_at, o.service_type,
               o.first_booked_at, o.patient_id, o.clinic_id, o.provider_id
        FROM appointment o WHERE o.appointment_id = ANY (appointment_ids) AND o.version > 0
    ), merged AS MATERIALIZED (
        SELECT m.away, m.kept FROM kept_patients(ARRAY(SELECT asked.patient_id FROM asked)) m
    )
    SELECT a.appointment_id, a.version, a.status, a.schedule_gen, a.mode,
           a.starts_at, a.ends_at, c.zone, a.service_type, a.first_booked_at,
           p.patient_id, p.main_file IS NOT NULL, p.given_name, p.family_name, p.language,
           p.mobile, p.email, p.consent, p.do_not_contact, p.deceased,
           a.clinic_id, c.name, c.languages, c.sensitive,
           c.window_opens, c.window_closes,
           a.provider_id, d.name
    FROM asked a
    LEFT JOIN merged m ON m.away = a.patient_id
    JOIN patient p ON p.patient_id = coalesce(m.kept, a.patient_id)
    JOIN clinic c ON c.clinic_id = a.clinic_id
    LEFT JOIN provider d ON d.provider_id = a.provider_id
$$;
