"""The statements of sending modes: what is chosen, who chose it, and how much waits for it."""

# Two first choices at once must not both take themselves for the first: there is no row to lock yet.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('sending ' || coalesce($1::text, ''), 0))"

INSTALLATION = "SELECT version, mode, changed_at, changed_by FROM sending_mode"

SET_INSTALLATION = """
INSERT INTO sending_mode AS held (version, mode, changed_at, changed_by) VALUES (1, $1, $2, $3)
ON CONFLICT (only_row) DO UPDATE SET version = held.version + 1, mode = excluded.mode,
    changed_at = excluded.changed_at, changed_by = excluded.changed_by
RETURNING version, mode, changed_at, changed_by"""

_CHOSEN = """version, mode, allow_list, double_over_miss, no_show_follow_up, replies, channel_windows, changed_at,
       changed_by"""

CLINIC = f"SELECT {_CHOSEN} FROM clinic_sending WHERE clinic_id = $1"  # noqa: S608  # a constant of ours

SET_CLINIC = f"""
INSERT INTO clinic_sending AS held (clinic_id, version, mode, allow_list, double_over_miss, no_show_follow_up, replies,
                                    channel_windows, changed_at, changed_by)
VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (clinic_id) DO UPDATE
SET version = held.version + 1, mode = excluded.mode, allow_list = excluded.allow_list,
    double_over_miss = excluded.double_over_miss, no_show_follow_up = excluded.no_show_follow_up,
    replies = excluded.replies, channel_windows = excluded.channel_windows, changed_at = excluded.changed_at,
    changed_by = excluded.changed_by
RETURNING {_CHOSEN}"""  # noqa: S608  # a constant of ours

AUDIT = "INSERT INTO sending_audit (clinic_id, changed_by, changed_at, before, after) VALUES ($1, $2, $3, $4, $5)"

CHANGES = """
SELECT audit_id, clinic_id, changed_by, changed_at, before, after FROM sending_audit
WHERE ($1::text IS NULL OR clinic_id = $1) AND ($2::bigint IS NULL OR audit_id < $2)
ORDER BY audit_id DESC LIMIT $3"""

# Messages to patients that wait, by clinic, with the mode that counts for each: the clinic's own, else $2.
QUEUED = """
SELECT waiting.clinic_id, coalesce(own.mode, $2::text) AS mode, own.mode AS own_mode, waiting.queued, waiting.due
FROM (
    SELECT coalesce(n.clinic_id, a.clinic_id) AS clinic_id, count(*) AS queued,
           count(*) FILTER (WHERE n.next_attempt_at <= $1) AS due
    FROM notification AS n LEFT JOIN appointment AS a USING (appointment_id)
    WHERE n.state = 'queued' AND ($3::text IS NULL OR coalesce(n.clinic_id, a.clinic_id) = $3)
    GROUP BY 1
) AS waiting LEFT JOIN clinic_sending AS own USING (clinic_id)
ORDER BY waiting.clinic_id NULLS LAST"""

KNOWN_CLINIC = "SELECT EXISTS (SELECT FROM appointment WHERE clinic_id = $1)"
