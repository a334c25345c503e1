-- A message follows a chain of channels (D30-D33); what happened after acceptance is kept beside its state (D17).
ALTER TABLE notification
    ALTER COLUMN appointment_id DROP NOT NULL,           -- null for a provider's list of the day
    ADD COLUMN clinic_id      text,                      -- whose mode, hours and senders count
    ADD COLUMN ordinal        integer NOT NULL DEFAULT 0, -- above 0: a person sent it again
    ADD COLUMN steps          jsonb NOT NULL DEFAULT '[]', -- channels closed for it, in order, each with its reason
    ADD COLUMN step_began_at  timestamptz,               -- domain time of the first attempt on the present channel
    ADD COLUMN accepted_at    timestamptz,               -- domain time of the first acceptance
    ADD COLUMN delivery_state text NOT NULL DEFAULT 'unknown'
        CHECK (delivery_state IN ('unknown', 'undelivered', 'delivered', 'read'));
CREATE INDEX notification_for_staff ON notification (changed_at) WHERE state IN ('failed', 'unknown');

ALTER TABLE attempt
    ADD COLUMN delivery_state text NOT NULL DEFAULT 'unknown'
        CHECK (delivery_state IN ('unknown', 'undelivered', 'delivered', 'read'));
CREATE INDEX attempt_reference ON attempt (channel, reference) WHERE reference IS NOT NULL;

-- What fan-out must know of the newest version to fold a cancel and a new booking into one message (D37).
ALTER TABLE appointment
    ADD COLUMN patient_id   uuid,
    ADD COLUMN clinic_id    text,
    ADD COLUMN service_type text,
    ADD COLUMN ends_at      timestamptz;
CREATE INDEX appointment_clinic_day ON appointment (clinic_id, starts_at);

-- The rate of a channel, shared by all instances of its lane; taken in the claiming transaction.
CREATE TABLE lane_rate (
    channel      text PRIMARY KEY CHECK (channel IN ('email', 'sms', 'whatsapp')),
    tokens       double precision NOT NULL DEFAULT 0,
    refilled_at  timestamptz NOT NULL DEFAULT clock_timestamp(), -- machine time
    paused_until timestamptz                                     -- machine time: a carrier's Retry-After
);
INSERT INTO lane_rate (channel) VALUES ('email'), ('sms'), ('whatsapp');

-- What a clinic has chosen about sending. No row: the installation's mode and the defaults.
CREATE TABLE clinic_sending (
    clinic_id          text PRIMARY KEY,
    version            integer NOT NULL CHECK (version >= 1),
    mode               text CHECK (mode IN ('hold', 'allow-list', 'live')), -- null: the installation's
    allow_list         text[] NOT NULL DEFAULT '{}',
    double_over_miss   boolean NOT NULL DEFAULT false, -- after an unknown outcome the next channel is tried (D32)
    no_show_follow_up  boolean NOT NULL DEFAULT false,
    channel_windows    jsonb NOT NULL DEFAULT '{}',    -- channel -> ["09:00", "20:00"], inside the clinic's own window
    changed_at         timestamptz NOT NULL,           -- domain time
    changed_by         text NOT NULL
);

-- The installation's mode, once somebody has switched it; no row: the setting NOTIFIER_SENDING_MODE.
CREATE TABLE sending_mode (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version    integer NOT NULL CHECK (version >= 1),
    mode       text NOT NULL CHECK (mode IN ('hold', 'allow-list', 'live')),
    changed_at timestamptz NOT NULL, -- domain time
    changed_by text NOT NULL
);

-- Who changed what about sending, and when. Append only.
CREATE TABLE sending_audit (
    audit_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    clinic_id  text,             -- null: the installation
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    before     jsonb,
    after      jsonb NOT NULL
);

-- Addresses that want no more messages of a category on a channel (D36). The address itself is not kept.
CREATE TABLE opt_out (
    channel        text NOT NULL CHECK (channel IN ('email', 'sms', 'whatsapp')),
    address_sha256 bytea NOT NULL,
    category       text NOT NULL CHECK (category IN ('reminders', 'notices')),
    since          timestamptz NOT NULL, -- domain time
    caused_by      text NOT NULL,
    PRIMARY KEY (channel, address_sha256, category)
);
