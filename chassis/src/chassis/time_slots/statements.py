"""The slot ledger's table and statements (D20)."""

TABLE = """
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
"""
"""What a service with jobs puts into its migration; a test holds the migrations against it."""

UNSETTLED = """
SELECT asked.scope FROM unnest($2::text[], $3::text[], $4::timestamptz[]) AS asked (scope, slot, due)
WHERE NOT EXISTS (
    SELECT FROM slot_ledger held
    WHERE held.job = $1 AND held.scope = asked.scope AND held.due >= asked.due AND held.state <> 'claimed'
)
ORDER BY asked.scope
"""

CLAIM = """
INSERT INTO slot_ledger AS held (job, scope, slot, due, state, owner, lease_until)
SELECT $1, scope, slot, due, 'claimed', $5, clock_timestamp() + $6::interval
FROM unnest($2::text[], $3::text[], $4::timestamptz[]) AS asked (scope, slot, due)
ORDER BY scope
ON CONFLICT (job, scope, slot) DO UPDATE
SET owner = excluded.owner, lease_until = excluded.lease_until, tries = held.tries + 1
WHERE held.state = 'claimed' AND held.lease_until < clock_timestamp()
RETURNING scope
"""

HOLD = """
UPDATE slot_ledger SET lease_until = clock_timestamp() + $5::interval
WHERE job = $1 AND scope = $2 AND slot = $3 AND owner = $4 AND state = 'claimed'
RETURNING true
"""

SETTLE = """
UPDATE slot_ledger
SET effects = effects + $5,
    state = CASE WHEN $6 THEN 'done' ELSE state END, settled_at = CASE WHEN $6 THEN $7::timestamptz END
WHERE job = $1 AND scope = $2 AND slot = $3 AND owner = $4
"""

MISS = """
INSERT INTO slot_ledger AS held (job, scope, slot, due, state, settled_at)
SELECT $1, scope, slot, due, 'missed', $5
FROM unnest($2::text[], $3::text[], $4::timestamptz[]) AS asked (scope, slot, due)
ORDER BY scope
ON CONFLICT (job, scope, slot) DO UPDATE SET state = 'missed', settled_at = excluded.settled_at
WHERE held.state = 'claimed' AND held.lease_until < clock_timestamp()
RETURNING scope, slot
"""

PRUNE = "DELETE FROM slot_ledger WHERE job = $1 AND scope = $2 AND due < $3"

LAST_DONE = "SELECT max(due) FROM slot_ledger WHERE job = $1 AND state = 'done'"
