-- What people did to sub-files by command: who, when and why (D1, D6). Never changed, never removed.
CREATE TABLE sub_file_command (
    command_id  uuid PRIMARY KEY, -- `caused_by` of the version that it made
    sub_file_id uuid NOT NULL,
    version     integer NOT NULL CHECK (version >= 2),
    act         text NOT NULL CHECK (act IN ('close', 'reopen', 'provider')),
    acted_by    text NOT NULL,
    reason      text NOT NULL,
    before      text, -- the status; of a change of provider, the provider's id
    after       text,
    acted_at    timestamptz NOT NULL,
    UNIQUE (sub_file_id, version)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON sub_file_command
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
