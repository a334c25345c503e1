-- What comes back: carriers' receipts, patients' replies, and the addresses by which both are found again.

-- Each report of a carrier once, whatever it makes of a message (G6). It is kept before it is answered.
CREATE TABLE receipt (
    receipt_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    carrier          text NOT NULL CHECK (carrier IN ('twilio', 'meta', 'email')),
    key              text NOT NULL,        -- what makes the same report the same, in the carrier's words
    asked_attempt_id uuid,                 -- the attempt that it names, if it names one
    reference        text,                 -- the carrier's own id of the message
    status           text NOT NULL CHECK (status IN ('accepted', 'undelivered', 'delivered', 'read')),
    code             text,                 -- the carrier's, without personal data
    occurred_at      timestamptz,          -- by the carrier's clock, if it says so
    received_at      timestamptz NOT NULL, -- domain time
    attempt_id       uuid,                 -- the attempt found; null while none is known
    notification_id  uuid,
    applied_at       timestamptz,          -- domain time
    changed          boolean,              -- whether it moved the message on
    UNIQUE (carrier, key)
);
CREATE INDEX receipt_notification ON receipt (notification_id) WHERE notification_id IS NOT NULL;
CREATE INDEX receipt_waiting ON receipt (received_at) WHERE applied_at IS NULL;

-- What patients wrote. Sender and text are for staff alone: null once nobody needs them any more.
CREATE TABLE reply (
    reply_id       uuid PRIMARY KEY,     -- from the carrier's id of the message
    channel        text NOT NULL CHECK (channel IN ('sms', 'whatsapp')),
    address_sha256 bytea NOT NULL,
    sender         text,
    text           text,
    meaning        text NOT NULL CHECK (meaning IN ('stop', 'start', 'confirm', 'cancel', 'other')),
    verdict        text NOT NULL CHECK (verdict IN ('opted-out', 'opted-in', 'ordered', 'staff')),
    why            text,                 -- why it is for staff
    appointment_id uuid,                 -- null: none, or more than one
    clinic_id      text,
    sent_at        timestamptz,          -- by the carrier's clock, if it says so
    received_at    timestamptz NOT NULL, -- domain time
    done_at        timestamptz,          -- domain time
    done_by        text,
    CHECK (verdict <> 'ordered' OR appointment_id IS NOT NULL)
);
CREATE INDEX reply_for_staff ON reply (received_at) WHERE why IS NOT NULL AND done_at IS NULL;
CREATE INDEX reply_address ON reply (address_sha256, received_at);
CREATE INDEX reply_appointment ON reply (appointment_id) WHERE appointment_id IS NOT NULL;

-- Every opt-out that began or was lifted, and what led to it. Append only.
CREATE TABLE opt_out_history (
    channel        text NOT NULL,
    address_sha256 bytea NOT NULL,
    category       text NOT NULL,
    stopped        boolean NOT NULL,     -- false: lifted
    at             timestamptz NOT NULL, -- domain time
    caused_by      text NOT NULL
);
CREATE INDEX opt_out_history_address ON opt_out_history (address_sha256, at);

-- The address of an attempt is not kept; its hash finds the visit that a reply is about.
ALTER TABLE attempt
    ADD COLUMN address_sha256 bytea,
    ADD COLUMN schedule_gen   integer; -- what the message said when is the schedule of this generation
CREATE INDEX attempt_address ON attempt (address_sha256, channel, gated_at) WHERE address_sha256 IS NOT NULL;

-- Whether a clinic's reminders say how to confirm and cancel by reply (B11).
ALTER TABLE clinic_sending ADD COLUMN replies boolean NOT NULL DEFAULT false;
