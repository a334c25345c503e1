-- Whose a patient's mobile and email are, if not his own: a child is reached through whoever answers for him. The release
-- before leaves it as it is.
ALTER TABLE patient ADD COLUMN contact_of text;
ALTER TABLE patient ADD CONSTRAINT patient_contact_of_check CHECK (contact_of IN ('guardian')) NOT VALID;

-- For the notifier, beside the gates and by the patient whom they name: it greets whom it reaches.
CREATE FUNCTION contact_of(asked_id uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = booking, pg_temp
AS $$ SELECT p.contact_of FROM patient p WHERE p.patient_id = asked_id $$;
COMMENT ON FUNCTION contact_of IS 'Whose the mobile and email of a patient are as of now; null: his own.';

REVOKE ALL ON FUNCTION contact_of(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION contact_of(uuid) TO attend_notifier;
