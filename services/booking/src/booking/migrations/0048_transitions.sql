-- Whose steps are enforced, by whose word; and which client may take a step back there (0052).
CREATE TABLE source_mode_change (
    change_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source     text NOT NULL,
    mode       text NOT NULL CHECK (mode IN ('observe', 'enforce')),
    changed_at timestamptz NOT NULL, -- domain time
    changed_by text NOT NULL,
    reason     text
);
CREATE INDEX source_mode_change_newest ON source_mode_change (source, change_id DESC);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON source_mode_change
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
COMMENT ON TABLE source_mode_change IS 'How strictly the steps of a source are judged, from when on: the newest row holds, none is observe. Append only.';

ALTER TABLE api_client ADD COLUMN may_correct boolean NOT NULL DEFAULT false;
