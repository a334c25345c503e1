"""What the ledger knows of SMS that are looked for in Twilio's list."""

from collections.abc import Collection, Sequence

from chassis.postgres.database import Connection, Pool
from notifier.carriers.twilio.domain import AFTER, BEFORE, Unknown

# Of an age at which the carrier lists what it took: each call of which some message is unknown, by the attempt that the
# carrier knows (decision 0050), whatever became of that one's own message. `alone`: no other call to that address is
# open around then.
UNKNOWN_ATTEMPTS = """
WITH call AS (
    SELECT DISTINCT ON (coalesce(made.with_attempt, made.attempt_id))
           coalesce(made.with_attempt, made.attempt_id) AS attempt_id, told.appointment_id, made.address_key,
           made.gated_at
    FROM notification AS told JOIN attempt AS made ON made.attempt_id = told.attempt_id
    WHERE told.state = 'unknown' AND told.appointment_id IS NOT NULL AND made.channel = 'sms'
      AND made.outcome = 'unknown' AND made.address_key IS NOT NULL
      AND made.gated_at >= clock_timestamp() - make_interval(secs => $2)
      AND made.gated_at <= clock_timestamp() - make_interval(secs => $1)
    ORDER BY coalesce(made.with_attempt, made.attempt_id), made.with_attempt NULLS FIRST
)
SELECT call.attempt_id, call.appointment_id, call.address_key, call.gated_at, NOT EXISTS (
    SELECT FROM attempt AS other
    WHERE other.address_key = call.address_key AND other.channel = 'sms' AND other.attempt_id <> call.attempt_id
      AND (other.outcome IS NULL OR other.outcome = 'unknown') AND other.with_attempt IS DISTINCT FROM call.attempt_id
      AND other.gated_at BETWEEN call.gated_at - $3::interval AND call.gated_at + $3::interval
) AS alone
FROM call ORDER BY call.gated_at DESC LIMIT $4"""

KNOWN_REFERENCES = "SELECT reference FROM attempt WHERE channel = 'sms' AND reference = ANY($1::text[])"


async def unknown_attempts(connection: Connection, from_s: float, to_s: float, most: int) -> list[Unknown]:
    """Return attempts of unknown outcome of an age between these, machine time, the newest first."""
    rows = await connection.fetch(UNKNOWN_ATTEMPTS, from_s, to_s, BEFORE + AFTER, most)
    return [Unknown(*row) for row in rows]


async def known_references(pool: Pool, references: Sequence[str]) -> Collection[str]:
    """Return those among these ids of the carrier that the ledger has of an attempt."""
    return {row[0] for row in await pool.fetch(KNOWN_REFERENCES, references)}
