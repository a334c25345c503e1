-- What each source means by what it sends (0060). Append only.
CREATE TABLE source_profile (
    source     text NOT NULL,
    version    int NOT NULL CHECK (version > 0),
    profile    jsonb NOT NULL,
    sha256     bytea NOT NULL,
    applied_at timestamptz NOT NULL, -- domain time
    applied_by text NOT NULL,
    reason     text,
    PRIMARY KEY (source, version)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON source_profile
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
COMMENT ON TABLE source_profile IS 'What a source means by what it sends: the newest version holds, none is the default profile. Append only.';
COMMENT ON COLUMN source_profile.profile IS 'What was said; a knob that is not in it has its default.';
COMMENT ON COLUMN source_profile.sha256 IS 'Of the profile as canonical JSON.';
COMMENT ON COLUMN source_profile.applied_by IS 'The client, or operator.';
