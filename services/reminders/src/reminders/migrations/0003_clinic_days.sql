-- The clinics whose days begin at 8:00 of their own wall (R19), and the ledger that gives each day one beginning.

CREATE TABLE clinic (
    clinic_id text PRIMARY KEY,
    version   bigint NOT NULL,
    zone      text NOT NULL,
    since     timestamptz NOT NULL
);
COMMENT ON TABLE clinic IS 'Copied from the topic clinics, the newest version of each.';
COMMENT ON COLUMN clinic.since IS 'Domain time of the first version seen: days that began before are none of its.';

CREATE TABLE slot_ledger (
    job         text NOT NULL,
    scope       text NOT NULL,
    slot        text NOT NULL,
    due         timestamptz NOT NULL,
    state       text NOT NULL CHECK (state IN ('claimed', 'done', 'missed')),
    owner       uuid,
    lease_until timestamptz,
    tries       int NOT NULL DEFAULT 1,
    effects     int NOT NULL DEFAULT 0,
    settled_at  timestamptz,
    PRIMARY KEY (job, scope, slot),
    CHECK ((state = 'claimed') = (settled_at IS NULL))
);
CREATE INDEX slot_ledger_due ON slot_ledger (job, scope, due);
COMMENT ON TABLE slot_ledger IS 'Each time slot takes effect once (D20). due, settled_at: domain time.';
COMMENT ON COLUMN slot_ledger.lease_until IS 'Machine time: from then on another instance may claim the slot.';
