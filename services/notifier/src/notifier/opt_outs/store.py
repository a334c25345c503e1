"""Opt-outs in PostgreSQL, each with a line in its history."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from chassis.postgres.database import Connection, Pool
from notifier.opt_outs import statements as sql
from notifier.opt_outs.bodies import LiftedView, OptOutList, OptOutView
from notifier.values.addresses import Address, Peppers
from notifier.values.kinds import Category
from schemas.notifications import Channel

Executes = Connection | Pool

OF_A_NUMBER = (Channel.SMS, Channel.WHATSAPP)
"""Who writes STOP to one of them means the number, not the app."""

type Lifted = Callable[[Connection, Address, datetime], Awaitable[None]]
"""What follows in the same transaction, READ COMMITTED, once an address may be written to again."""


def found_by(address: Address) -> tuple[list[bytes], bytes | None]:
    """Return the two parameters by which the statements find an address."""
    return list(address.keys), address.plain


async def stop(
    connection: Executes,
    address: Address,
    channels: Sequence[Channel],
    categories: Sequence[Category],
    cause: str,
    now: datetime,
) -> None:
    """Stop messages of these categories to an address; it holds from the commit on (D36). Again changes nothing.

    Only what one client stopped becomes that of whoever else stops it: it is not the client's to lift any more.

    Args:
        connection: In a transaction, or a pool.
        cause: What led to it, without personal data.
    """
    asked = *found_by(address), list(channels), list(categories), now, cause
    await connection.execute(sql.OPT_OUT, *asked)
    await connection.execute(sql.TAKE_OVER, *asked)


async def stop_refused(connection: Connection, attempt_ids: Sequence[UUID], now: datetime) -> None:
    """Stop all messages to the numbers of these attempts: their carriers refused because their readers said STOP.

    A START that came after the attempt holds.
    """
    if attempt_ids:
        await connection.execute(sql.STOP_REFUSED, list(attempt_ids), list(OF_A_NUMBER), list(Category), now, "carrier")


async def lift(
    connection: Executes,
    address: Address,
    channels: Sequence[Channel],
    categories: Sequence[Category],
    cause: str,
    now: datetime,
    stopped_by: str | None = None,
) -> bool:
    """Take back what `stop` stored; say whether there was anything.

    Args:
        stopped_by: Only what has this cause, or one that begins with it and a slash; None: all.
    """
    asked = *found_by(address), list(channels), list(categories), now, cause, stopped_by
    return bool(await connection.fetchval(sql.LIFT_OPT_OUT, *asked))


async def stopped(
    connection: Executes, peppers: Peppers, addresses: Iterable[str]
) -> Collection[tuple[Channel, Category, str]]:
    """Return what of these addresses is stopped: channel, category, address."""
    kept = [(address, peppers.of(address)) for address in set(addresses)]
    by_key = {key: address for address, one in kept for key in (*one.keys, one.plain) if key}
    rows = await connection.fetch(sql.STOPPED, list(by_key), [one.plain for _, one in kept])
    return {
        (Channel(row["channel"]), Category(row["category"]), by_key[key])
        for row in rows
        for key in (row["address_key"], row["address_sha256"])
        if key in by_key
    }


async def opt_outs(pool: Executes, address: Address) -> OptOutList:
    """Return what an address wants no more."""
    rows = await pool.fetch(sql.OPT_OUTS, *found_by(address))
    items = [OptOutView.model_validate(dict(row)) for row in rows]
    lifted = [LiftedView.model_validate(dict(row)) for row in await pool.fetch(sql.LIFTED, *found_by(address))]
    stands = {(one.channel, one.category) for one in items}  # stopped again in the same instant
    return OptOutList(items=items, lifted=[one for one in lifted if (one.channel, one.category) not in stands])
