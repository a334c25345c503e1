-- What carriers send in is taken item by item: what cannot be read is kept beside it, for staff and operators.

CREATE TABLE unreadable_callback (
    unreadable_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    carrier        text NOT NULL CHECK (carrier IN ('twilio', 'meta', 'email')),
    reason         text NOT NULL,        -- the place or the kind of trouble, never a value
    content        bytea NOT NULL,       -- as it came, cut at 64 KiB
    size           integer NOT NULL,     -- bytes, before the cut
    content_sha256 bytea NOT NULL,       -- a carrier that sends the same again adds no row
    received_at    timestamptz NOT NULL, -- domain time
    UNIQUE (carrier, content_sha256)
);
CREATE INDEX unreadable_callback_received ON unreadable_callback (received_at);

-- A report that its attempt is known of and that still could not be applied; it is not tried again.
ALTER TABLE receipt ADD COLUMN trouble text;

-- Every clinic that an answer may concern: one that several clinics, or none, may have caused is on each one's list.
ALTER TABLE reply ADD COLUMN clinic_ids text[] NOT NULL DEFAULT '{}';
