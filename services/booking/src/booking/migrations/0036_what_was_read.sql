-- What we read of the body, beside the body itself: a retry may be written anew, with another Bundle.timestamp. Null in rows of
-- the release before, which compares body_sha256 alone, and so does this one then.
ALTER TABLE ingress ADD COLUMN read_sha256 bytea;
COMMENT ON COLUMN ingress.read_sha256 IS 'Hash of the command that was read in the body; the same event has the one or the other the same.';
