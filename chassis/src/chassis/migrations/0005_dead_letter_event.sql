-- What could be read of a record that was refused: which event it is, and where it is wrong. The release before leaves
-- both empty.
ALTER TABLE dead_letter
    ADD COLUMN place text,
    ADD COLUMN event_id text;
COMMENT ON COLUMN dead_letter.place IS 'Where in the value it is wrong, as a path; null: not said.';
COMMENT ON COLUMN dead_letter.event_id IS 'Which event it is; null: that could not be read, or was not looked for.';
