-- Reminder policies: rules as data, per clinic and service type, each version kept for ever (D13).

ALTER TABLE api_client ADD COLUMN may_set_policy boolean NOT NULL DEFAULT false;

ALTER TABLE clinic ADD COLUMN policies jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN clinic.policies IS
    'What is in force now: the clinic''s own rules and those of service types that have their own; read with the row, '
    'so that a version is stamped without another question. Empty: the default. Kept in step with reminder_policy.';

CREATE TABLE reminder_policy (
    clinic_id     text NOT NULL REFERENCES clinic,
    version       int NOT NULL CHECK (version >= 1),
    service_type  text,
    policy_id     text NOT NULL UNIQUE,
    rules         jsonb NOT NULL,
    policy_before text NOT NULL,
    rules_before  jsonb NOT NULL,
    set_by        text NOT NULL,
    set_at        timestamptz NOT NULL,
    PRIMARY KEY (clinic_id, version)
);
COMMENT ON TABLE reminder_policy IS 'Who set which rules when, and what they were before. Append only; versions count per clinic.';
COMMENT ON COLUMN reminder_policy.service_type IS 'Null: the clinic''s, for every service type without its own.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reminder_policy
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE reminder_rule (
    clinic_id text NOT NULL REFERENCES clinic,
    slug      text NOT NULL CHECK (slug ~ '^[a-z0-9-]{1,40}$'),
    version   int NOT NULL,
    PRIMARY KEY (clinic_id, slug)
);
COMMENT ON TABLE reminder_rule IS 'Every slug ever minted at a clinic and by which policy version: none is used twice. Append only.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reminder_rule
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE policy_reissue (
    clinic_id    text NOT NULL,
    version      int NOT NULL,
    service_type text,
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'superseded')),
    fence        xid8,
    ahead        int,
    after_start  timestamptz,
    after_id     uuid,
    looked_at    int NOT NULL DEFAULT 0,
    appointments int NOT NULL DEFAULT 0,
    added        int NOT NULL DEFAULT 0,
    removed      int NOT NULL DEFAULT 0,
    moved        int NOT NULL DEFAULT 0,
    kept         int NOT NULL DEFAULT 0,
    too_late     int NOT NULL DEFAULT 0,
    finished_at  timestamptz,
    PRIMARY KEY (clinic_id, version),
    FOREIGN KEY (clinic_id, version) REFERENCES reminder_policy
);
CREATE INDEX policy_reissue_open ON policy_reissue (clinic_id, version) WHERE state IN ('waiting', 'running');
COMMENT ON TABLE policy_reissue IS 'The job of each policy version: how far it came, what it did. Moved in the transaction of each batch.';
COMMENT ON COLUMN policy_reissue.fence IS
    'A transaction id younger than the change: once all up to it have ended, nobody still stamps the rules before it.';

CREATE INDEX appointment_ahead ON appointment (clinic_id, starts_at, appointment_id);
