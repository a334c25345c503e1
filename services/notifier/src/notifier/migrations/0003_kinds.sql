-- Every kind of message: what folds two of them into one (D37), what the morning must know (R19, D18), and who may read.

ALTER TABLE appointment
    ADD COLUMN turned_at timestamptz; -- domain time at which booking took the change that booked or cancelled it last
CREATE INDEX appointment_patient ON appointment (patient_id);

-- The cancelled visit whose place this message's visit takes: its patient is told of a move (D37).
ALTER TABLE notification ADD COLUMN replaces uuid;
CREATE INDEX notification_replaces ON notification (replaces) WHERE replaces IS NOT NULL;

-- What the reminders worker said is still to come of the newest version of each visit it planned (decision 0013).
CREATE TABLE reminder_plan (
    appointment_id uuid PRIMARY KEY,
    version        integer NOT NULL,
    schedule_gen   integer NOT NULL,
    reminder_ids   uuid[] NOT NULL,
    dues           timestamptz[] NOT NULL, -- domain time, in the order of reminder_ids
    not_afters     timestamptz[] NOT NULL  -- domain time, in the order of reminder_ids
) WITH (fillfactor = 85);

ALTER TABLE inbox
    ADD COLUMN kind   text NOT NULL DEFAULT 'provider-booked',
    ADD COLUMN visits jsonb, -- of a list of the day: each visit's time, patient, service and link
    ALTER COLUMN appointment_id DROP NOT NULL, -- null for a list of the day
    ALTER COLUMN link DROP NOT NULL;
CREATE INDEX inbox_unread ON inbox (provider_id, number) WHERE read_at IS NULL;

-- What lets a provider's own program read his inbox and nobody else's. The token itself is not kept.
CREATE TABLE inbox_token (
    token_id     uuid PRIMARY KEY,
    token_sha256 bytea NOT NULL UNIQUE,
    provider_id  uuid NOT NULL,
    label        text NOT NULL,
    issued_at    timestamptz NOT NULL, -- domain time
    revoked_at   timestamptz           -- domain time; once revoked, for good
);
CREATE INDEX inbox_token_provider ON inbox_token (provider_id);
