"""Every statement of the lanes. Set-based, rows sorted by key."""

from notifier.ledger.statements import ALL

SENDING_MODE = "SELECT mode FROM sending_mode"

COUNT_STATE = "SELECT count(*) FROM notification WHERE state = $1"


def _mode(setting: int) -> str:
    """Return the expression for the mode that counts for a row, the setting being the parameter of this number."""
    return f"""coalesce(
    (SELECT chosen.mode FROM clinic_sending AS chosen WHERE chosen.clinic_id = notification.clinic_id),
    (SELECT mode FROM sending_mode), ${setting}::text)"""  # noqa: S608  # a number of ours


_DUE = f"""state = 'queued' AND lane = $1 AND next_attempt_at <= $2 AND not_after >= $3 AND {_mode(4)} <> 'hold'"""


def _not_paused(account: str) -> str:
    """Return the condition that this account, a column or parameter, is not paused."""
    return f"""NOT EXISTS (SELECT FROM account_rate AS rate
    WHERE rate.channel = $1 AND rate.account = {account} AND rate.paused_until > clock_timestamp())"""  # ours


def _clinics(clinics: int, accounts: int) -> str:
    """Return the clinics of `asked.account`, from two parameters that hold clinics and their accounts."""
    return f"""ARRAY(
    SELECT own.clinic_id FROM unnest(${clinics}::text[], ${accounts}::text[]) AS own (clinic_id, account)
    WHERE own.account = asked.account)"""  # noqa: S608  # numbers of ours


LOCK_DUE_OF_THE_REST = f"""
SELECT {ALL} FROM notification
WHERE {_DUE} AND (clinic_id IS NULL OR clinic_id <> ALL($5::text[])) AND ($6 OR {_not_paused("$7")})
ORDER BY not_after LIMIT $8 FOR UPDATE SKIP LOCKED"""  # noqa: S608  # constants of ours
"""Of the account of every clinic that has none of its own."""

LOCK_DUE_OF_CLINICS = f"""
SELECT {ALL} FROM unnest($5::text[], $6::int[]) AS asked (account, most)
CROSS JOIN LATERAL (
    SELECT {ALL} FROM notification WHERE {_DUE} AND clinic_id = ANY({_clinics(7, 8)})
    ORDER BY not_after LIMIT asked.most FOR UPDATE SKIP LOCKED
) AS due
WHERE $9 OR {_not_paused("asked.account")}"""  # noqa: S608  # constants of ours
"""Of the other accounts: each its clinics' own, so many of each."""

# News to these people by these clinics that is due by $3, or by $2 for the first time; never what waits for an hour.
_BESIDE = """state = 'queued' AND lane = $1 AND kind IN ('confirmation', 'moved', 'cancelled')
  AND recipient = 'patient' AND not_after >= $4
  AND next_attempt_at <= CASE WHEN attempts = 0 AND reason IS NULL THEN $2::timestamptz ELSE $3::timestamptz END"""

BESIDE = f"""
SELECT notification_id, recipient_id, clinic_id
FROM unnest($5::uuid[], $6::text[]) AS asked (recipient_id, clinic_id)
JOIN notification USING (recipient_id, clinic_id)
WHERE {_BESIDE} AND notification_id <> ALL($7::uuid[]) LIMIT $8"""  # noqa: S608  # constants of ours

LOCK_BESIDE = f"""
SELECT {ALL} FROM notification
WHERE {_BESIDE} AND notification_id = ANY($5::uuid[])
FOR UPDATE SKIP LOCKED"""  # noqa: S608  # constants of ours

DUE = f"""
SELECT $5::text AS account
WHERE $5 = ANY($6::text[]) AND {_not_paused("$5")} AND EXISTS (
    SELECT FROM notification WHERE {_DUE} AND (clinic_id IS NULL OR clinic_id <> ALL($7::text[])))
UNION ALL
SELECT asked.account FROM unnest($6::text[]) AS asked (account)
WHERE asked.account <> $5 AND {_not_paused("asked.account")} AND EXISTS (
    SELECT FROM notification WHERE {_DUE} AND clinic_id = ANY({_clinics(7, 8)}))"""  # noqa: S608  # constants of ours

LOCK_LATE = f"""
SELECT {ALL} FROM notification
WHERE state = 'queued' AND lane = $1 AND not_after < $2
ORDER BY not_after LIMIT $3 FOR UPDATE SKIP LOCKED"""  # noqa: S608  # a constant of ours

LOCK_RUN_OUT = f"""
SELECT {ALL} FROM notification
WHERE state = 'sending' AND lane = $1 AND lease_until < clock_timestamp()
ORDER BY lease_until LIMIT $2 FOR UPDATE SKIP LOCKED"""  # noqa: S608  # a constant of ours


PUT_OFF = """
UPDATE notification
SET next_attempt_at = $2::timestamptz + greatest($4::interval, least($3::interval, (not_after - $2::timestamptz) / 2))
WHERE notification_id = ANY($1::uuid[]) AND state = 'queued' AND not_after >= $2::timestamptz + $4::interval
RETURNING notification_id"""

TAKE_ASIDE = f"""
UPDATE notification
SET state = CASE state WHEN 'queued' THEN 'failed' ELSE 'unknown' END,
    reason = CASE state WHEN 'queued' THEN 'UNDECIDABLE' ELSE 'OUTCOME_UNKNOWN' END,
    version = least(version, 2147483646) + 1, changed_at = $2, lease_until = NULL
WHERE notification_id = ANY($1::uuid[])
  AND (state = 'queued' OR (state = 'sending' AND lease_until < clock_timestamp()))
RETURNING {ALL}"""  # noqa: S608  # a constant of ours

OPEN_ATTEMPTS = """
INSERT INTO attempt (attempt_id, notification_id, ordinal, channel, gated_version, schedule_gen, address_key,
                     preference_version, account, called_at, with_attempt)
SELECT attempt_id, notification_id,
       1 + coalesce((SELECT max(ordinal) FROM attempt WHERE attempt.notification_id = new.notification_id), 0),
       channel, gated_version, schedule_gen, address_key, preference_version, account, $8, with_attempt
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::int[], $6::bytea[], $7::int[], $9::text[], $10::uuid[])
    AS new (attempt_id, notification_id, channel, gated_version, schedule_gen, address_key, preference_version,
            account, with_attempt)"""
"""Claims are numbered in their order, also those that are given back; whoever tells of calls leaves those out."""

CLOSE_ATTEMPTS = """
UPDATE attempt AS made
SET outcome = new.outcome, code = new.code, reference = new.reference, answered_at = clock_timestamp(),
    settled_at = $5
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS new (attempt_id, outcome, code, reference)
WHERE made.attempt_id = new.attempt_id
  AND (made.outcome IS NULL OR (made.outcome = 'unknown' AND new.outcome <> 'not-started'))"""
"""A claim whose lease ran out stays an attempt of unknown outcome, whoever says later that its call never began."""

CLINICS_PREFERRING_DOUBLES = (
    "SELECT clinic_id FROM clinic_sending WHERE clinic_id = ANY($1::text[]) AND double_over_miss"
)

CLAIMABLE = f"""
SELECT EXISTS (SELECT FROM notification WHERE state = 'sending' AND lane = ANY($1::text[]))
    OR EXISTS (SELECT FROM notification WHERE state = 'queued' AND lane = ANY($1::text[])
               AND next_attempt_at <= $2 AND ({_mode(3)} <> 'hold' OR not_after < $2))"""  # noqa: S608  # ours

NEXT_WAKE = f"""
SELECT min(CASE WHEN {_mode(2)} = 'hold' THEN not_after ELSE next_attempt_at END)
FROM notification WHERE state = 'queued' AND lane = ANY($1::text[])"""  # noqa: S608  # ours
