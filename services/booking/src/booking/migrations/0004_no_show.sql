-- The no-show check (R18, D19): its time slots, and a way to the visits that nobody came to.

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

CREATE INDEX appointment_unattended ON appointment (clinic_id, starts_at) WHERE status = 'booked' AND mode = 'live';
COMMENT ON INDEX appointment_unattended IS 'Visits ahead, under way and not yet checked; what was imported is none of it.';
