-- Whether upstream has ever said that the visit is booked: its first such word, however late, takes nothing back of what
-- happened meanwhile (0052). Null in rows of a release that knows nothing of it, and not up to date where it wrote since.
ALTER TABLE appointment
    ADD COLUMN never_booked         boolean,
    ADD COLUMN never_booked_version int;
COMMENT ON COLUMN appointment.never_booked IS 'Upstream has not said yet that it is booked: it asked for it, or told what happened. Null: not known.';
COMMENT ON COLUMN appointment.never_booked_version IS 'The version at which never_booked was written; another one than version: a release that knows nothing of it wrote since.';
