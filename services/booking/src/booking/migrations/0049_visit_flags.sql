-- What staff should look at of a visit: what came otherwise than it ought to, and was taken all the same.
CREATE TABLE visit_flag (
    flag_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    appointment_id uuid NOT NULL,
    code           text NOT NULL,
    version        int NOT NULL,         -- of the appointment, when it was raised
    raised_at      timestamptz NOT NULL, -- domain time
    done_at        timestamptz,          -- domain time; null: it waits
    done_by        text,
    note           text
);
CREATE UNIQUE INDEX visit_flag_open ON visit_flag (appointment_id, code) WHERE done_at IS NULL;
CREATE INDEX visit_flag_waiting ON visit_flag (flag_id) WHERE done_at IS NULL;
COMMENT ON TABLE visit_flag IS 'The work list of visits. At most one flag of a kind is open for a visit.';
COMMENT ON COLUMN visit_flag.done_by IS 'Who looked into it, as the client says; or which message settled it.';
