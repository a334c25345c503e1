-- Upstream's own last word, kept apart from what is held (D55). Null where the two are the same, and in rows of the release
-- before, which writes none of these: said_version says at which version the others were written, and where it is not the row's
-- they say nothing.
ALTER TABLE appointment
    ADD COLUMN said_status    text,
    ADD COLUMN said_confirmed boolean,
    ADD COLUMN said_reason    text,
    ADD COLUMN said_version   int;
COMMENT ON COLUMN appointment.said_status IS 'What upstream itself said last, where booking holds another status; null: the same.';
COMMENT ON COLUMN appointment.said_confirmed IS 'As said_status, of confirmed.';
COMMENT ON COLUMN appointment.said_reason IS 'The reason that upstream gave with said_status; its start is the one held: nobody else moves a visit.';
COMMENT ON COLUMN appointment.said_version IS 'The version at which the said ones were written; another one than version: the release before wrote since.';
