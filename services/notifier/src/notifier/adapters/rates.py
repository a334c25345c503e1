"""The rate of a lane, one row that all its instances share: a bucket refilled by this database's clock.

It holds at most one second's worth, and never less than one message. Nothing is written while nothing is due.
"""

from datetime import datetime

from chassis.database import Connection
from schemas.notifications import Channel

TAKE = """
WITH bucket AS (
    SELECT channel, greatest(refilled_at, now()) AS at,
           least(greatest(1, $2::float8),
                 tokens + greatest(0, extract(epoch FROM now() - refilled_at)::float8) * $2) AS tokens
    FROM lane_rate
    WHERE channel = $1 AND (paused_until IS NULL OR paused_until <= clock_timestamp())
      AND EXISTS (SELECT FROM notification WHERE state = 'queued' AND lane = $1 AND next_attempt_at <= $4)
    FOR NO KEY UPDATE
)
UPDATE lane_rate AS held SET tokens = bucket.tokens - least($3::float8, floor(bucket.tokens)), refilled_at = bucket.at
FROM bucket WHERE held.channel = bucket.channel AND bucket.tokens >= 1
RETURNING least($3::float8, floor(bucket.tokens))::int"""

GIVE_BACK = "UPDATE lane_rate SET tokens = tokens + $2 WHERE channel = $1"

PAUSE = """
UPDATE lane_rate SET paused_until = greatest(paused_until, clock_timestamp() + make_interval(secs => $2))
WHERE channel = $1"""

PAUSED_S = """
SELECT greatest(0, extract(epoch FROM paused_until - clock_timestamp()))::float8 FROM lane_rate WHERE channel = $1"""


async def take(connection: Connection, lane: Channel, per_second: float, most: int, now: datetime) -> int:
    """Take up to `most` tokens, locking the lane's row until the transaction's end; return how many were there.

    Args:
        connection: In the claiming transaction.
        lane: The lane.
        per_second: Its rate, > 0.
        most: Free slots, ≥ 1.
        now: Domain time: tokens are taken only if a message is due by then.
    """
    taken = await connection.fetchval(TAKE, lane, float(per_second), float(most), now)
    return int(taken or 0)


async def give_back(connection: Connection, lane: Channel, tokens: int) -> None:
    """Return tokens for which there was no call."""
    await connection.execute(GIVE_BACK, lane, float(tokens))


async def pause(connection: Connection, lane: Channel, seconds: float) -> None:
    """Let no instance of the lane claim for so long, machine time; a longer pause stays."""
    await connection.execute(PAUSE, lane, seconds)


async def paused_s(connection: Connection, lane: Channel) -> float:
    """Return for how many seconds more the lane is paused; 0 if it is not."""
    return float(await connection.fetchval(PAUSED_S, lane) or 0.0)
