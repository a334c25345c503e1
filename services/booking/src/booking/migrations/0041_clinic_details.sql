-- How a clinic is reached and how a visit is prepared: of the clinic (`details`), and by service type where that has its
-- own (`services`). A table of its own: the release before reads all columns of `clinic`, and knows no more of them.
CREATE TABLE clinic_details (
    clinic_id text PRIMARY KEY REFERENCES clinic,
    details   jsonb NOT NULL DEFAULT '{}',
    services  jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON COLUMN clinic_details.details IS 'phone, address, directions_url, preparation; each only where there is one.';
COMMENT ON COLUMN clinic_details.services IS 'Service type → its own details, which go before the clinic''s field by field.';

-- What a message says of the clinic, for whoever is about to send: beside the send gate and as it, no lock, every change
-- committed before it. A function of its own: one that takes another's place fails whoever asks at that instant.
CREATE FUNCTION clinic_gate(appointment_ids uuid[])
RETURNS TABLE (appointment_id uuid, clinic_country text, clinic_details jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = booking, pg_temp
AS $$
    SELECT a.appointment_id, c.country, coalesce(d.details || coalesce(d.services -> a.service_type, '{}'), '{}')
    FROM appointment a
    JOIN clinic c ON c.clinic_id = a.clinic_id
    LEFT JOIN clinic_details d ON d.clinic_id = a.clinic_id
    WHERE a.appointment_id = ANY (appointment_ids) AND a.version > 0
$$;
COMMENT ON FUNCTION clinic_gate IS 'Country of the clinic, and the details of the visit''s service type over the clinic''s.';

REVOKE ALL ON FUNCTION clinic_gate(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION clinic_gate(uuid[]) TO attend_notifier;
