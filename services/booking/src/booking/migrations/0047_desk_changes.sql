-- What persons at clinics' desks ask for, of many visits at once; and upstream's own last start, where they moved a visit (0049).
CREATE TABLE desk_change (
    change_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client          text NOT NULL,
    key             text NOT NULL,
    body_sha256     bytea NOT NULL,
    act             text NOT NULL,
    changed_by      text,          -- who, as the client says
    reason          text NOT NULL,
    appointment_ids uuid[] NOT NULL,
    starts          timestamptz[] NOT NULL,
    asked_at        timestamptz NOT NULL, -- domain time
    UNIQUE (client, key)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON desk_change
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
COMMENT ON TABLE desk_change IS 'Which visits were chosen to be cancelled or moved, by whom and why: fixed at the first request, carried out page by page. Append only.';
COMMENT ON COLUMN desk_change.starts IS 'When each was to begin as it was chosen; null: it had no time.';

ALTER TABLE appointment
    ADD COLUMN said_starts_at     timestamptz,
    ADD COLUMN said_start_version int;
COMMENT ON COLUMN appointment.said_starts_at IS 'As said_status, of the start: a visit that was moved at the desk. Null: the same.';
COMMENT ON COLUMN appointment.said_start_version IS 'The version at which said_starts_at was written; another one than version: a release that knows nothing of it wrote since.';
