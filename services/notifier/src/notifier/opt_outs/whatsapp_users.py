"""Whose number a business-scoped id of WhatsApp is, both as keys; what was stopped under the id holds for the number.

Meta gives such an id beside the number, or instead of it where a user name hides the number
(developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids). Who changes his
number gets another id.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chassis.postgres.database import Connection

# A STOP under an id and the report that says whose id it is, at once: the second sees what the first has written.
LOCK = """
SELECT pg_advisory_xact_lock(hashtextextended('user/' || encode(key, 'hex'), 0))
FROM (SELECT DISTINCT unnest($1::bytea[]) AS key ORDER BY 1) AS each"""

LINK = """
INSERT INTO whatsapp_user (user_key, address_key, linked_at) SELECT key, $2, $3 FROM unnest($1::bytea[]) AS key
ON CONFLICT DO NOTHING RETURNING user_key, address_key"""

LINK_ATTEMPTS = """
INSERT INTO whatsapp_user (user_key, address_key, linked_at)
SELECT DISTINCT named.user_key, made.address_key, $3::timestamptz
FROM unnest($1::bytea[], $2::uuid[]) AS named (user_key, attempt_id) JOIN attempt AS made USING (attempt_id)
WHERE made.channel = 'whatsapp' AND made.address_key IS NOT NULL
ON CONFLICT DO NOTHING RETURNING user_key, address_key"""

# Moved, not copied: a later START of the number must not find it again.
MOVE_OPT_OUTS = """
WITH held AS (
    DELETE FROM opt_out WHERE address_key = ANY($1::bytea[])
    RETURNING channel, category, address_key, since, caused_by
)
INSERT INTO opt_out (channel, address_key, category, since, caused_by)
SELECT held.channel, known.address_key, held.category, min(held.since), min(held.caused_by)
FROM held JOIN unnest($1::bytea[], $2::bytea[]) AS known (user_key, address_key) ON known.user_key = held.address_key
GROUP BY 1, 2, 3
ON CONFLICT (address_key, channel, category) DO UPDATE SET since = excluded.since, caused_by = excluded.caused_by
WHERE opt_out.caused_by LIKE 'client/%'"""

NUMBERS = """
SELECT address_key FROM whatsapp_user WHERE user_key = ANY($1::bytea[]) GROUP BY 1 ORDER BY max(linked_at) DESC"""


async def lock(connection: Connection, users: Sequence[bytes]) -> None:
    """Let others who know these users wait until the end of the transaction."""
    await connection.execute(LOCK, list(users))


async def numbers_of(connection: Connection, users: Sequence[bytes]) -> Sequence[bytes]:
    """Return the keys of the number that a user has, the newest first; none if nobody has said so yet."""
    return [row[0] for row in await connection.fetch(NUMBERS, list(users))]


async def link(connection: Connection, users: Sequence[bytes], number: bytes, now: datetime) -> None:
    """Keep that these ids belong to this number."""
    await _moved(connection, await connection.fetch(LINK, list(users), number, now))


async def link_attempts(
    connection: Connection, users: Sequence[bytes], attempt_ids: Sequence[UUID], now: datetime
) -> None:
    """Keep that each id belongs to the number which the attempt beside it went to."""
    await lock(connection, users)
    await _moved(connection, await connection.fetch(LINK_ATTEMPTS, list(users), list(attempt_ids), now))


async def _moved(connection: Connection, new: Sequence[tuple[bytes, bytes]]) -> None:
    if new:
        await connection.execute(MOVE_OPT_OUTS, [row[0] for row in new], [row[1] for row in new])
