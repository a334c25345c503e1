"""Statements of reminder policies and of the job that reissues appointments."""

SLUGS = "SELECT slug FROM reminder_rule WHERE clinic_id = $1"

LAST_VERSION = "SELECT coalesce(max(version), 0) FROM reminder_policy WHERE clinic_id = $1"

APPEND_POLICY = """
INSERT INTO reminder_policy (clinic_id, version, service_type, policy_id, rules, policy_before, rules_before,
                             set_by, set_at, unset)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

KEEP_SLUGS = """
INSERT INTO reminder_rule (clinic_id, slug, version) SELECT $1, slug, $2 FROM unnest($3::text[]) AS new (slug)
"""

SET_IN_FORCE = "UPDATE clinic SET policies = $2, version = $3 WHERE clinic_id = $1"

SUPERSEDE = """
UPDATE policy_reissue SET state = 'superseded', finished_at = $3
WHERE clinic_id = $1 AND service_type IS NOT DISTINCT FROM $2 AND state IN ('waiting', 'running')
"""

OPEN_JOB = "INSERT INTO policy_reissue (clinic_id, version, service_type) VALUES ($1, $2, $3)"

CHANGES = """
SELECT p.clinic_id, p.version, p.service_type, p.policy_id, p.rules, p.policy_before, p.rules_before, p.set_by,
       p.set_at, p.unset, j.state, j.ahead, j.looked_at, j.appointments, j.added, j.removed, j.moved, j.kept,
       j.too_late, j.finished_at
FROM reminder_policy p JOIN policy_reissue j USING (clinic_id, version)
WHERE p.clinic_id = $1 AND ($2::int IS NULL OR p.version = $2) AND ($3::int IS NULL OR p.version < $3)
ORDER BY p.version DESC LIMIT $4
"""

RAISE_FENCES = """
UPDATE policy_reissue SET fence = pg_current_xact_id() WHERE state = 'waiting' AND fence IS NULL
"""

NEXT_JOB = """
SELECT j.clinic_id, j.version, j.service_type, j.state, j.after_start, j.after_id, p.set_at, p.policy_id
FROM policy_reissue j JOIN reminder_policy p USING (clinic_id, version)
WHERE j.state IN ('waiting', 'running') AND j.fence < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY j.clinic_id, j.version LIMIT 1
FOR UPDATE OF j SKIP LOCKED
"""

BEGIN_JOB = "UPDATE policy_reissue SET state = 'running', ahead = $3 WHERE clinic_id = $1 AND version = $2"

MOVE_JOB = """
UPDATE policy_reissue
SET after_start = coalesce($3, after_start), after_id = coalesce($4, after_id), looked_at = looked_at + $5,
    appointments = appointments + $6, added = added + $7, removed = removed + $8, moved = moved + $9,
    kept = kept + $10, too_late = too_late + $11,
    state = CASE WHEN $12::timestamptz IS NULL THEN state ELSE 'done' END, finished_at = $12
WHERE clinic_id = $1 AND version = $2
"""

# Which visits a policy is for: those of its service type, or of every service type that has none of its own.
_ITS = """
a.clinic_id = $1 AND ($2::text IS NULL OR a.service_type = $2)
AND (a.service_type IS NULL OR a.service_type <> ALL ($3::text[])) AND a.version > 0
"""

COUNT_AHEAD = f"""
SELECT count(*) FROM appointment a WHERE {_ITS} AND a.starts_at > $4 AND a.status = ANY ($5::text[])
"""  # noqa: S608  # ours

IDS_AHEAD = f"""
SELECT a.appointment_id, a.starts_at FROM appointment a
WHERE {_ITS} AND (a.starts_at, a.appointment_id) > ($4, $5) AND a.status = ANY ($6::text[])
ORDER BY a.starts_at, a.appointment_id LIMIT $7
"""  # noqa: S608  # ours

SNAPSHOTS = """
SELECT h.snapshot FROM unnest($1::uuid[], $2::int[]) AS asked (appointment_id, version)
JOIN appointment_history h USING (appointment_id, version)
"""

# Pages: the visits first, then their versions one by one by key, whatever the planner thinks of the history's size.
PAGE_AHEAD = f"""
WITH page AS MATERIALIZED (
    SELECT a.starts_at, a.appointment_id, a.version FROM appointment a
    WHERE {_ITS} AND (a.starts_at, a.appointment_id) > ($4, $5) AND a.status = ANY ($6::text[])
    ORDER BY a.starts_at, a.appointment_id LIMIT $7
)
SELECT page.starts_at, page.appointment_id, h.snapshot
FROM page CROSS JOIN LATERAL (
    SELECT snapshot FROM appointment_history o
    WHERE o.appointment_id = page.appointment_id AND o.version = page.version OFFSET 0
) h
ORDER BY page.starts_at, page.appointment_id
"""  # noqa: S608  # ours

COUNT_PAST = f"SELECT count(*) FROM appointment a WHERE {_ITS} AND a.starts_at > $4 AND a.starts_at <= $5"  # noqa: S608

PAGE_PAST = f"""
WITH page AS MATERIALIZED (
    SELECT a.starts_at, a.appointment_id FROM appointment a
    WHERE {_ITS} AND (a.starts_at, a.appointment_id) > ($4, $5) AND a.starts_at <= $6
    ORDER BY a.starts_at, a.appointment_id LIMIT $7
)
SELECT page.starts_at, page.appointment_id, h.snapshots
FROM page CROSS JOIN LATERAL (
    SELECT array_agg(o.snapshot ORDER BY o.version) AS snapshots FROM appointment_history o
    WHERE o.appointment_id = page.appointment_id
) h
ORDER BY page.starts_at, page.appointment_id
"""  # noqa: S608  # ours
