-- Who was not let in at our own door, and why (0054): a refusal changes nothing of the visit, and is a decision all the same.
CREATE TABLE check_in_refusal (
    serial         bigint PRIMARY KEY DEFAULT nextval('decided_serial'),
    appointment_id uuid NOT NULL,
    version        int NOT NULL,         -- of the appointment, as it was
    status         text NOT NULL,
    code           text NOT NULL,
    mode           text NOT NULL CHECK (mode IN ('observe', 'enforce')),
    checked        jsonb NOT NULL,
    lacking        jsonb NOT NULL,
    client         text NOT NULL,
    key            text NOT NULL,
    asked_by       text,                 -- who, as the client says
    what_sha256    bytea NOT NULL,
    refused_at     timestamptz NOT NULL, -- domain time
    UNIQUE (appointment_id, version, what_sha256)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON check_in_refusal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
COMMENT ON TABLE check_in_refusal IS 'Each check-in at our own door that was refused, once for the same person and the same state of the visit. Append only.';
COMMENT ON COLUMN check_in_refusal.serial IS 'Drawn under the visit''s lock, from the sequence of check_in and clearance_history: the order of all.';
COMMENT ON COLUMN check_in_refusal.key IS 'The idempotency key of the first such request.';
COMMENT ON COLUMN check_in_refusal.what_sha256 IS 'Of code, lacks, client and person: asking again while nothing changed is the same refusal.';
