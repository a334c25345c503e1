-- All names by which a source speaks of a provider lead to one, whose id is made of the first. What the release before
-- makes of a name that is here as a further one is another provider's id: the next event of this release corrects it.
CREATE TABLE provider_alias (
    source    text NOT NULL,
    source_id text NOT NULL,
    first_id  text NOT NULL,
    PRIMARY KEY (source, source_id)
);
CREATE INDEX provider_alias_first ON provider_alias (source, first_id);
COMMENT ON TABLE provider_alias IS 'How each source names a provider; the id is derived from source and first_id.';

INSERT INTO provider_alias (source, source_id, first_id) SELECT source, source_id, source_id FROM provider
ON CONFLICT DO NOTHING;
