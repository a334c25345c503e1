-- The newest version of each appointment seen: the guard against repeats, and the way from an
-- appointment to its patient's sub-file. Updates stay on their page (no index on what changes).
CREATE TABLE appointment (
    appointment_id uuid PRIMARY KEY,
    version        integer NOT NULL CHECK (version >= 1),
    patient_id     uuid NOT NULL,
    clinic_id      text NOT NULL
) WITH (fillfactor = 85);

-- Version 0: a booking named him before his snapshot came. The row's lock decides between creating
-- and parking a sub-file, on both topics.
CREATE TABLE patient (
    patient_id  uuid PRIMARY KEY,
    version     integer NOT NULL DEFAULT 0,
    main_file   text,
    merged_into uuid
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX patient_main_file ON patient (main_file) WHERE main_file IS NOT NULL;

-- Version 0: wanted by a sub-file, not known yet.
CREATE TABLE provider (
    provider_id uuid PRIMARY KEY,
    version     integer NOT NULL DEFAULT 0
);

CREATE TABLE sub_file (
    sub_file_id        uuid PRIMARY KEY,
    version            integer NOT NULL CHECK (version >= 1),
    status             text NOT NULL CHECK (status IN ('ACTIVE', 'PARKED', 'CLOSED')),
    number             text,
    patient_id         uuid NOT NULL, -- no foreign key: its check would lock a row that is locked already
    clinic_id          text NOT NULL CHECK (clinic_id ~ '^[A-Z0-9]{2,10}$'),
    ordinal            smallint NOT NULL CHECK (ordinal BETWEEN 1 AND 99),
    provider_id        uuid,
    wanted_provider_id uuid,
    appointment_id     uuid NOT NULL,
    caused_by          text NOT NULL,
    created_at         timestamptz NOT NULL,
    UNIQUE (patient_id, clinic_id, ordinal),
    CHECK ((number IS NULL) = (status = 'PARKED')),
    CHECK (number ~ '^FILE-\d{4}-\d{6}-[A-Z0-9]{2,10}-\d{2}$')
);
CREATE INDEX sub_file_parked ON sub_file (patient_id) WHERE status = 'PARKED';
CREATE INDEX sub_file_wanting ON sub_file (wanted_provider_id)
    WHERE provider_id IS NULL AND wanted_provider_id IS NOT NULL;
