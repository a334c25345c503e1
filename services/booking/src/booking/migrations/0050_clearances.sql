-- Whether a visit is cleared (R34): kinds and requirements as data, what was said of each visit, and what holds now (0053).

ALTER TABLE api_client ADD COLUMN may_clear boolean NOT NULL DEFAULT false;

CREATE SEQUENCE decided_serial;
COMMENT ON SEQUENCE decided_serial IS
    'Drawn under a visit''s lock by whatever decides on its clearance or checks it in, so that their order can be told.';

CREATE TABLE clearance_kind (
    kind_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    clinic_id text REFERENCES clinic,
    kind      text NOT NULL CHECK (kind ~ '^[a-z0-9-]{1,40}$'),
    shape     text NOT NULL CHECK (shape IN ('financial', 'consent', 'plain')),
    title     text NOT NULL,
    how       text,
    link      text,
    set_by    text NOT NULL,
    set_at    timestamptz NOT NULL -- domain time
);
CREATE INDEX clearance_kind_newest ON clearance_kind (kind, clinic_id, kind_id DESC);
COMMENT ON TABLE clearance_kind IS 'Kinds of clearance, each word about one a row: the newest counts, a clinic''s own before everybody''s. Append only.';
COMMENT ON COLUMN clearance_kind.clinic_id IS 'Null: everywhere.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON clearance_kind
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO clearance_kind (kind, shape, title, how, set_by, set_at) VALUES
    ('financial', 'financial', 'Payment', 'Pay, or show that your insurance covers the visit.', 'attend', '2026-01-01T00:00Z'),
    ('consent', 'consent', 'Consent form', 'Read the form and sign it.', 'attend', '2026-01-01T00:00Z'),
    ('referral', 'plain', 'Referral', 'Bring the letter of the doctor who refers you.', 'attend', '2026-01-01T00:00Z'),
    ('identity', 'plain', 'Proof of identity', 'Bring a passport, an identity card or a driving licence.', 'attend', '2026-01-01T00:00Z');

CREATE TABLE clearance_policy (
    clinic_id    text NOT NULL REFERENCES clinic,
    version      int NOT NULL CHECK (version >= 1),
    service_type text,
    mode         text NOT NULL CHECK (mode IN ('observe', 'enforce')),
    requires     jsonb NOT NULL,
    notify_days  int[] NOT NULL,
    unset        boolean NOT NULL,
    set_by       text NOT NULL,
    set_at       timestamptz NOT NULL, -- domain time
    PRIMARY KEY (clinic_id, version)
);
CREATE INDEX clearance_policy_newest ON clearance_policy (clinic_id, service_type, version DESC);
COMMENT ON TABLE clearance_policy IS 'What a clinic, or one of its service types, requires before check-in, each version. Append only; versions count per clinic.';
COMMENT ON COLUMN clearance_policy.service_type IS 'Null: the clinic''s, for every service type without its own.';
COMMENT ON COLUMN clearance_policy.unset IS 'Given up: the service type has the clinic''s, the clinic requires nothing.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON clearance_policy
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE clearance (
    appointment_id uuid NOT NULL,
    kind           text NOT NULL,
    form           text NOT NULL,
    version        int NOT NULL CHECK (version >= 1),
    state          text NOT NULL,
    amount_minor   bigint CHECK (amount_minor >= 0),
    currency       text,
    reference      text,
    payer_class    text,
    expires_at     timestamptz,
    form_version   text,
    signed_at      timestamptz,
    signed_by      text,
    withdrawn_at   timestamptz,
    reason         text,
    said_at        timestamptz,
    said_by        text,
    client         text NOT NULL,
    recorded_at    timestamptz NOT NULL, -- domain time
    patient_id     uuid NOT NULL,
    PRIMARY KEY (appointment_id, kind, form)
);
COMMENT ON TABLE clearance IS 'What holds of each visit now, by kind and form. Written under the visit''s lock, with clearance_history.';
COMMENT ON COLUMN clearance.form IS 'The form of a consent; empty: none named, or another kind.';
COMMENT ON COLUMN clearance.version IS 'Counts what changed of the visit''s clearances, over all kinds.';
COMMENT ON COLUMN clearance.amount_minor IS 'In the smallest unit of the currency: 1250 GBP are 12.50 pounds.';
COMMENT ON COLUMN clearance.said_at IS 'When the sender says that it became so; null: he does not, it stands at its arrival.';
COMMENT ON COLUMN clearance.said_by IS 'Who, as the client says.';
COMMENT ON COLUMN clearance.patient_id IS 'The visit''s patient as it came: of a visit that was given to another it counts no more.';

CREATE TABLE clearance_history (
    serial         bigint PRIMARY KEY DEFAULT nextval('decided_serial'),
    appointment_id uuid NOT NULL,
    kind           text NOT NULL,
    form           text NOT NULL,
    version        int NOT NULL,
    result         text NOT NULL CHECK (result IN ('applied', 'repeat', 'stale')),
    state          text NOT NULL,
    amount_minor   bigint,
    currency       text,
    reference      text,
    payer_class    text,
    expires_at     timestamptz,
    form_version   text,
    signed_at      timestamptz,
    signed_by      text,
    withdrawn_at   timestamptz,
    reason         text,
    said_at        timestamptz,
    said_by        text,
    client         text NOT NULL,
    key            text NOT NULL,
    body_sha256    bytea NOT NULL,
    recorded_at    timestamptz NOT NULL, -- domain time
    patient_id     uuid NOT NULL,
    UNIQUE (client, key)
);
CREATE INDEX clearance_history_visit ON clearance_history (appointment_id, serial);
CREATE INDEX clearance_history_key ON clearance_history (key);
COMMENT ON TABLE clearance_history IS 'Every word about a visit''s clearance that was taken, and what became of it: the same again gets the same. Append only.';
COMMENT ON COLUMN clearance_history.version IS 'That the visit''s clearances have with it; one more than before only where it was applied.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON clearance_history
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
