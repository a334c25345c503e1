-- All identifiers that a message carries are names of its appointment (D40). The first is the one it is shown by: those
-- that came later, or beside it, say so. The release before knows first names only, and leaves this as it is.
ALTER TABLE appointment_alias ADD COLUMN is_further boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN appointment_alias.is_further IS 'Whether another name was there before it, or is the first of its message.';
