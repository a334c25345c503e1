-- The newest version of each appointment seen: what fan-out compares the next one with.
CREATE TABLE appointment (
    appointment_id uuid PRIMARY KEY,
    version        integer NOT NULL CHECK (version >= 1),
    status         text NOT NULL,
    schedule_gen   integer NOT NULL,
    starts_at      timestamptz,
    provider_id    uuid
) WITH (fillfactor = 85);

-- What patients have said about channels. No row: nothing was said (D30).
CREATE TABLE preference (
    patient_id uuid PRIMARY KEY,
    version    integer NOT NULL CHECK (version >= 1),
    whatsapp   boolean NOT NULL,
    sms        boolean NOT NULL,
    email      boolean NOT NULL,
    changed_at timestamptz NOT NULL
);

-- The ledger: one row a message and recipient. No names, no addresses: those are read at the gate.
CREATE TABLE notification (
    notification_id uuid PRIMARY KEY,
    version         integer NOT NULL DEFAULT 0,
    kind            text NOT NULL,
    recipient       text NOT NULL CHECK (recipient IN ('patient', 'provider')),
    appointment_id  uuid NOT NULL,
    schedule_gen    integer NOT NULL,
    reminder_id     uuid,
    caused_by       text NOT NULL,
    state           text NOT NULL
        CHECK (state IN ('queued', 'sending', 'accepted', 'failed', 'skipped', 'unknown')),
    lane            text CHECK (lane IN ('in-app', 'email', 'sms', 'whatsapp')),
    not_after       timestamptz,           -- domain time
    next_attempt_at timestamptz NOT NULL,  -- domain time
    attempts        integer NOT NULL DEFAULT 0,
    attempt_id      uuid,
    lease_until     timestamptz,           -- machine time, by this database's clock
    reason          text,
    created_at      timestamptz NOT NULL,  -- domain time
    changed_at      timestamptz NOT NULL,  -- domain time
    CHECK ((state = 'sending') = (lease_until IS NOT NULL)),
    CHECK (state NOT IN ('queued', 'sending') OR (lane IS NOT NULL AND not_after IS NOT NULL))
) WITH (fillfactor = 70);
CREATE INDEX notification_appointment ON notification (appointment_id);
CREATE INDEX notification_queued ON notification (lane, not_after) WHERE state = 'queued';
CREATE INDEX notification_wake ON notification (next_attempt_at) WHERE state = 'queued';
CREATE INDEX notification_sending ON notification (lane, lease_until) WHERE state = 'sending';
CREATE INDEX notification_unknown ON notification (changed_at) WHERE state = 'unknown';

-- Each call, written down before it is made.
CREATE TABLE attempt (
    attempt_id      uuid PRIMARY KEY,
    notification_id uuid NOT NULL, -- no foreign key: its check would lock a row that is locked already
    ordinal         integer NOT NULL,
    channel         text NOT NULL,
    gated_version   integer NOT NULL, -- the appointment's version that the gate saw (I7)
    gated_at        timestamptz NOT NULL DEFAULT clock_timestamp(), -- machine time
    answered_at     timestamptz,
    outcome         text CHECK (outcome IN ('accepted', 'rejected', 'not-accepted', 'unknown', 'not-started')),
    code            text,
    reference       text, -- the carrier's own id of the message
    UNIQUE (notification_id, ordinal)
);
-- At most one acceptance for a notification and channel (G5).
CREATE UNIQUE INDEX attempt_accepted_once ON attempt (notification_id, channel) WHERE outcome = 'accepted';

-- Locked while a provider's notices are numbered, so that numbers are committed in order.
CREATE TABLE inbox_provider (
    provider_id uuid PRIMARY KEY,
    last_number bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE inbox (
    provider_id     uuid NOT NULL,
    number          bigint NOT NULL,
    notification_id uuid NOT NULL UNIQUE,
    appointment_id  uuid NOT NULL,
    title           text NOT NULL,
    body            text NOT NULL,
    patient_name    text,
    starts_at       timestamptz NOT NULL,
    zone            text NOT NULL,
    service_type    text,
    link            text NOT NULL,
    created_at      timestamptz NOT NULL, -- domain time
    read_at         timestamptz,          -- domain time
    PRIMARY KEY (provider_id, number)
);
