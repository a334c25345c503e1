-- Who was let in, and what was checked (0054).
ALTER TABLE api_client ADD COLUMN may_override_clearance boolean NOT NULL DEFAULT false;

CREATE TABLE check_in (
    serial         bigint PRIMARY KEY DEFAULT nextval('decided_serial'),
    appointment_id uuid NOT NULL,
    version        int NOT NULL,         -- of the appointment, that it made
    status         text NOT NULL,
    mode           text NOT NULL CHECK (mode IN ('observe', 'enforce')),
    checked        jsonb NOT NULL,
    lacking        jsonb NOT NULL,
    overridden     boolean NOT NULL,
    at_desk        boolean NOT NULL,
    client         text NOT NULL,
    key            text NOT NULL,
    checked_by     text,                 -- who, as the client says
    reason         text,
    checked_at     timestamptz NOT NULL  -- domain time
);
CREATE INDEX check_in_visit ON check_in (appointment_id, serial);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON check_in
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
COMMENT ON TABLE check_in IS 'Each check-in that was taken, what was required and what of it lacked. Append only.';
COMMENT ON COLUMN check_in.serial IS 'Drawn under the visit''s lock, from the sequence of clearance_history: the order of both.';
COMMENT ON COLUMN check_in.at_desk IS 'At our own door; else upstream reported it.';
COMMENT ON COLUMN check_in.overridden IS 'Something lacked, the clinic enforces it, and a client that may let the patient in all the same.';
