-- Every position that a person moved: records that were passed over unread, and by whom (G8).
CREATE TABLE position_skip (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer    text   NOT NULL,
    topic       text   NOT NULL,
    partition   int    NOT NULL,
    from_offset bigint NOT NULL,
    to_offset   bigint NOT NULL,
    skipped_by  text   NOT NULL,
    reason      text   NOT NULL,
    skipped_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE position_skip IS 'Positions moved by `dead-letters skip`: who passed over which records, and why.';

CREATE FUNCTION position_skip_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'position_skip is a record of what was done: rows are only added';
END $$;
CREATE TRIGGER position_skip_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON position_skip
    EXECUTE FUNCTION position_skip_is_kept();
