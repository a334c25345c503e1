-- The send gate: what is true of appointments at this instant, for whoever is about to send (design §6).
-- The notifier's only right in this schema. It takes no lock and sees every change committed before it.

CREATE FUNCTION send_gate(appointment_ids uuid[])
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
    SELECT a.appointment_id, a.version, a.status, a.schedule_gen, a.mode,
           a.starts_at, a.ends_at, c.zone, a.service_type, a.first_booked_at,
           a.patient_id, p.main_file IS NOT NULL, p.given_name, p.family_name, p.language,
           p.mobile, p.email, p.consent, p.do_not_contact, p.deceased,
           a.clinic_id, c.name, c.languages, c.sensitive,
           c.window_opens, c.window_closes,
           a.provider_id, d.name
    FROM appointment a
    JOIN patient p ON p.patient_id = a.patient_id
    JOIN clinic c ON c.clinic_id = a.clinic_id
    LEFT JOIN provider d ON d.provider_id = a.provider_id
    WHERE a.appointment_id = ANY (appointment_ids) AND a.version > 0
$$;
COMMENT ON FUNCTION send_gate IS 'Status, schedule, contact and consent as of now. provider_name null: nobody by that id is known.';

REVOKE ALL ON FUNCTION send_gate(uuid[]) FROM PUBLIC;
GRANT USAGE ON SCHEMA booking TO attend_notifier;
GRANT EXECUTE ON FUNCTION send_gate(uuid[]) TO attend_notifier;
