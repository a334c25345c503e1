"""The rate of an account, one row that all instances share: a bucket refilled by this database's clock.

It holds at most one second's worth, and never less than one message. Nothing is written while nothing is due.
"""

from collections.abc import Collection, Mapping

from chassis.postgres.database import Connection, Pool
from schemas.notifications import Channel

KNOW = """
INSERT INTO account_rate (channel, account) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING"""

TAKE = """
WITH bucket AS (
    SELECT held.account, asked.most, greatest(held.refilled_at, now()) AS at,
           least(greatest(1, $2::float8),
                 held.tokens + greatest(0, extract(epoch FROM now() - held.refilled_at)::float8) * $2) AS tokens
    FROM account_rate AS held JOIN unnest($3::text[], $4::float8[]) AS asked (account, most) USING (account)
    WHERE held.channel = $1 AND (held.paused_until IS NULL OR held.paused_until <= clock_timestamp())
    ORDER BY held.account FOR NO KEY UPDATE OF held
)
UPDATE account_rate AS held SET tokens = bucket.tokens - least(bucket.most, floor(bucket.tokens)),
                                refilled_at = bucket.at
FROM bucket WHERE held.channel = $1 AND held.account = bucket.account AND bucket.tokens >= 1
RETURNING held.account, least(bucket.most, floor(bucket.tokens))::int AS taken"""

GIVE_BACK = """
UPDATE account_rate AS held SET tokens = held.tokens + given.tokens
FROM unnest($2::text[], $3::float8[]) AS given (account, tokens)
WHERE held.channel = $1 AND held.account = given.account"""

PAUSE = """
INSERT INTO account_rate AS held (channel, account, paused_until)
VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
ON CONFLICT (channel, account) DO UPDATE SET paused_until = greatest(held.paused_until, excluded.paused_until)"""

PAUSED_S = """
SELECT account, extract(epoch FROM paused_until - clock_timestamp())::float8 AS seconds
FROM account_rate WHERE channel = $1 AND paused_until > clock_timestamp()"""


async def know(pool: Pool, lane: Channel, accounts: Collection[str]) -> None:
    """Make a row for each of these accounts that has none."""
    await pool.execute(KNOW, lane, list(accounts))


async def take(connection: Connection, lane: Channel, per_second: float, most: Mapping[str, int]) -> Mapping[str, int]:
    """Take up to so many tokens of each account, locking its row until the transaction's end; return those taken.

    Args:
        per_second: The rate of each account, > 0.
        most: Account → free slots, ≥ 1.
    """
    counts = [float(count) for count in most.values()]
    rows = await connection.fetch(TAKE, lane, float(per_second), list(most), counts)
    return {row["account"]: row["taken"] for row in rows}


async def give_back(connection: Connection, lane: Channel, tokens: Mapping[str, int]) -> None:
    """Put back the tokens of each account for which there was no call.

    Args:
        tokens: Account → how many, ≥ 1.
    """
    if tokens:
        await connection.execute(GIVE_BACK, lane, list(tokens), [float(count) for count in tokens.values()])


async def pause(connection: Connection, lane: Channel, account: str, seconds: float) -> None:
    """Let no instance claim for the account for so long, machine time; a longer pause stays."""
    await connection.execute(PAUSE, lane, account, seconds)


async def paused_s(connection: Connection, lane: Channel) -> Mapping[str, float]:
    """Return the paused accounts, each with for how many seconds more."""
    return {row["account"]: row["seconds"] for row in await connection.fetch(PAUSED_S, lane)}
