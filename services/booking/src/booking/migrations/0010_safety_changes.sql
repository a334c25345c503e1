-- Each change of a flag on which safety hangs: what is not named in a command never changes (D51).
CREATE TABLE safety_change (
    change_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('patient', 'clinic')),
    subject    text NOT NULL,        -- the patient's or the clinic's id
    flag       text NOT NULL,
    was        boolean NOT NULL,
    becomes    boolean NOT NULL,
    changed_at timestamptz NOT NULL, -- domain time
    changed_by text NOT NULL,        -- the client
    caused_by  text NOT NULL,
    CHECK (was <> becomes)
);
CREATE INDEX safety_change_subject ON safety_change (subject, change_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON safety_change
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
COMMENT ON TABLE safety_change IS 'Deceased, do-not-contact, consent, sensitive: from what to what, when, by whom. Append only.';
