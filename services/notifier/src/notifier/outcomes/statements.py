"""The statements of the feed. A place in it is a transaction's number and a number of the row."""

PAGE = """
SELECT xid::text AS xid, seq, notification_id, version, kind, recipient, appointment_id, channel, state, reason,
       delivery_state, at
FROM outcome
WHERE (xid, seq) > ($1::text::xid8, $2::bigint) AND xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY outcome.xid, outcome.seq LIMIT $3"""
"""In the order of the column, not of its text: 10 comes after 9. Of the transactions below the oldest that is open: of
none of them anything can come any more."""

HORIZON = "SELECT xid::text AS xid, seq FROM outcome_horizon"

NEWEST = """
SELECT xid::text AS xid, seq FROM outcome
WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY outcome.xid DESC, outcome.seq DESC LIMIT 1"""
