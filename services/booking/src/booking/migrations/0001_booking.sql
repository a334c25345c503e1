-- Booking's tables: people, clinics, appointments with their history, main-file numbers, API clients.
-- Ids of other systems stand only in alias tables. Hot tables have no foreign keys: every writer resolves
-- what it names under the locks of one transaction, and a check for each row would double its price.

CREATE TABLE api_client (
    client_id      text PRIMARY KEY,
    key_sha256     bytea NOT NULL UNIQUE,
    sources        text[] NOT NULL,
    clinics        text[] NOT NULL,
    may_register   boolean NOT NULL,
    default_clinic text,
    revoked        boolean NOT NULL DEFAULT false,
    changed_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN api_client.key_sha256 IS 'SHA-256 of a key of 256 random bits; the key itself is nowhere.';

CREATE TABLE clinic (
    clinic_id     text PRIMARY KEY CHECK (clinic_id ~ '^[A-Z0-9]{2,10}$'),
    version       int NOT NULL,
    name          text NOT NULL,
    zone          text NOT NULL,
    country       text NOT NULL,
    languages     text[] NOT NULL,
    sensitive     boolean NOT NULL,
    window_opens  time NOT NULL,
    window_closes time NOT NULL,
    created_at    timestamptz NOT NULL
);

CREATE TABLE clinic_alias (
    source    text NOT NULL,
    system    text NOT NULL,
    value     text NOT NULL,
    clinic_id text NOT NULL REFERENCES clinic,
    PRIMARY KEY (source, system, value)
);
COMMENT ON TABLE clinic_alias IS 'How each source names a clinic, by identifier system and value.';

CREATE TABLE patient (
    patient_id     uuid PRIMARY KEY,
    version        int NOT NULL DEFAULT 0,
    main_file      text UNIQUE CHECK (main_file ~ '^FILE-[0-9]{4}-[0-9]{6}$'),
    given_name     text,
    family_name    text,
    language       text,
    mobile         text,
    email          text,
    consent        boolean NOT NULL DEFAULT true,
    do_not_contact boolean NOT NULL DEFAULT false,
    deceased       boolean NOT NULL DEFAULT false,
    CHECK ((version > 0) = (main_file IS NOT NULL))
);

CREATE TABLE patient_alias (
    source     text NOT NULL,
    source_id  text NOT NULL,
    patient_id uuid NOT NULL,
    PRIMARY KEY (source, source_id)
);

CREATE TABLE provider (
    provider_id uuid PRIMARY KEY,
    version     int NOT NULL,
    source      text NOT NULL,
    source_id   text NOT NULL,
    name        text NOT NULL
);

CREATE TABLE main_file_counter (
    year int PRIMARY KEY,
    last int NOT NULL CHECK (last BETWEEN 0 AND 999999)
);
COMMENT ON TABLE main_file_counter IS 'Locked while a number is issued, so that numbers have no gaps (D4).';

CREATE TABLE appointment_alias (
    source         text NOT NULL,
    source_id      text NOT NULL,
    appointment_id uuid NOT NULL,
    PRIMARY KEY (source, source_id)
);
CREATE INDEX appointment_alias_id ON appointment_alias (appointment_id);

CREATE TABLE appointment (
    appointment_id  uuid PRIMARY KEY,
    source          text NOT NULL,
    version         int NOT NULL CHECK (version >= 0),
    status          text NOT NULL,
    sequence        bigint,
    source_time     timestamptz,
    event_time      timestamptz NOT NULL,
    ingest_time     timestamptz NOT NULL,
    confirmed       boolean NOT NULL,
    mode            text NOT NULL,
    patient_id      uuid,
    clinic_id       text,
    provider_id     uuid,
    service_type    text,
    starts_at       timestamptz,
    ends_at         timestamptz,
    schedule_gen    int NOT NULL,
    schedule_set_at timestamptz,
    first_booked_at timestamptz,
    caused_by       text,
    reason          text
) WITH (fillfactor = 85);
COMMENT ON COLUMN appointment.version IS '0: cancelled before it was ever booked (D41).';

CREATE TABLE appointment_history (
    appointment_id uuid NOT NULL,
    version        int NOT NULL,
    snapshot       text NOT NULL,
    PRIMARY KEY (appointment_id, version)
);
COMMENT ON TABLE appointment_history IS 'Every version as it was published, byte for byte. Append only.';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON appointment_history
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE ingress (
    client         text NOT NULL,
    key            text NOT NULL,
    body_sha256    bytea NOT NULL,
    result         text NOT NULL,
    appointment_id uuid NOT NULL,
    version        int NOT NULL,
    warnings       text[] NOT NULL,
    PRIMARY KEY (client, key)
);
COMMENT ON TABLE ingress IS 'Each event taken, with its answer: the same again gets the same (D41).';

CREATE TABLE inbound_refusal (
    client      text NOT NULL,
    key         text NOT NULL,
    code        text NOT NULL,
    message     text NOT NULL,
    place       text NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (client, key)
);
COMMENT ON TABLE inbound_refusal IS 'What became of events of bookings-inbound that are in the dead letters.';
