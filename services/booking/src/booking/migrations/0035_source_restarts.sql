-- A source that counts its events anew, by word of a person: what it counted before does not compare with what comes.
CREATE TABLE source_restart (
    restart_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source       text NOT NULL,
    restarted_at timestamptz NOT NULL, -- domain time
    restarted_by text NOT NULL,        -- the client, or operator
    reason       text NOT NULL
);
CREATE INDEX source_restart_source ON source_restart (source, restarted_at);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON source_restart
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
COMMENT ON TABLE source_restart IS 'When a source began to count its events anew, by whose word and why. Append only.';
