"""More records than PostgreSQL takes in its bounds go through in less, once each; one that is too much is seen."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import asyncpg
import pytest

from chassis.delivery.consumer import Applied, Subscription
from chassis.postgres.database import Connection, Pool, create_pool
from tests.integration.chassis.ledger.apply import ORDERS, Order, apply, decode
from tests.integration.chassis.ledger.service import SERVICE, LedgerService, orders, running
from tests.integration.chassis.outbox.notes import note, published, put, relay, relaying
from tests.support.waiting import until

BOUND_MS = 2_000
EACH_S = 0.005
"""Of 1,000 records: 5 s, far beyond the bound; of what fits, less than half of it."""

type Work = Callable[[Connection, int], Awaitable[None]]


@asynccontextmanager
async def bounded(ledger: LedgerService, setting: str) -> AsyncIterator[Pool]:
    """Give a pool whose sessions have this bound. Set within a transaction it would not bound that one."""
    pool = await create_pool(f"{ledger.url}?{setting}={BOUND_MS}", SERVICE, max_size=6)
    try:
        yield pool
    finally:
        pool.terminate()


async def works(connection: Connection, events: int) -> None:
    await connection.execute("SELECT pg_sleep($1)", EACH_S * events)


async def computes(_connection: Connection, events: int) -> None:
    await asyncio.sleep(EACH_S * events)  # as a process does that has no core, between two statements


def slow(work: Work) -> Subscription[Order]:
    async def slowly(connection: Connection, events: Sequence[Order]) -> Applied:
        await work(connection, len(events))
        return await apply(connection, events)

    return Subscription(ORDERS, decode, slowly)


@pytest.mark.parametrize(
    ("setting", "work"),
    [
        ("transaction_timeout", works),
        ("transaction_timeout", computes),
        ("statement_timeout", works),
        ("idle_in_transaction_session_timeout", computes),
    ],
)
async def test_a_backlog_that_takes_longer_than_a_transaction_may_is_applied_in_portions(
    ledger: LedgerService, setting: str, work: Work
) -> None:
    await ledger.produce(orders(600), partition=0)
    await ledger.produce(orders(400, first=600), partition=1)

    async with bounded(ledger, setting) as pool, running(ledger.consumer(slow(work), pool)):
        await until(lambda: ledger.consumed(600, 400))

    assert await ledger.effects() == [(0, n) for n in range(600)] + [(1, n) for n in range(400)]
    assert await ledger.dead() == []


def hanging(entities: Sequence[str], begun: list[int] | None = None) -> Subscription[Order]:
    """Return a subscription to which these entities are more than a transaction's time, whatever is beside them.

    Args:
        begun: Is given an item by each transaction that has begun and not ended.
    """
    under_way = [] if begun is None else begun

    async def hangs(connection: Connection, events: Sequence[Order]) -> Applied:
        under_way.append(1)
        try:
            if any(order.entity in entities for order in events):
                await connection.execute("SELECT pg_sleep(60)")
            return await apply(connection, events)
        finally:
            under_way.pop()

    return Subscription(ORDERS, decode, hangs)


async def test_a_record_that_takes_too_long_by_itself_is_a_dead_letter_once_others_pass(ledger: LedgerService) -> None:
    await ledger.produce([*orders(3), {"entity": "endless", "version": 1}, *orders(3, first=3)])

    async with bounded(ledger, "transaction_timeout") as pool:
        consumer = ledger.consumer(hanging(["endless"]), pool)
        async with running(consumer):
            await until(
                lambda: "attend dead-letters skip ledger" in (consumer.reason() or ""), what="it says why it waits"
            )
            assert "25P04" in (consumer.reason() or "")
            assert await ledger.dead() == []  # nothing shows yet that it is not the database

            await ledger.produce(orders(5, first=6), partition=1)
            await until(lambda: ledger.consumed(7, 5))
            await until(lambda: consumer.reason() is None)

    assert await ledger.dead() == [(3, "INTERNAL")]
    assert "25P04" in await ledger.pool.fetchval("SELECT message FROM dead_letter")
    assert await ledger.effects() == [(0, n) for n in range(7) if n != 3] + [(1, n) for n in range(5)]


async def test_while_nothing_passes_no_record_is_a_dead_letter_and_all_take_effect_afterwards(
    ledger: LedgerService,
) -> None:
    too_slow = ["e00000", "e00001"]
    under_way = list[int]()

    async def quick_between_two_tries() -> bool:
        if not under_way:  # else one would be cut after the other has passed, and rightly be taken for the cause
            too_slow.clear()
        return not too_slow

    await ledger.produce(orders(1), partition=0)
    await ledger.produce(orders(1, first=1), partition=1)

    async with bounded(ledger, "transaction_timeout") as pool:
        consumer = ledger.consumer(hanging(too_slow, under_way), pool)
        async with running(consumer):
            await until(lambda: "attend dead-letters skip ledger" in (consumer.reason() or ""))
            await until(quick_between_two_tries)
            await until(lambda: ledger.consumed(1, 1))

    assert await ledger.dead() == []
    assert await ledger.effects() == [(0, 0), (1, 0)]


async def test_events_that_take_longer_to_delete_than_a_transaction_may_leave_the_outbox_in_smaller_rounds(
    notes: LedgerService, database_url: str
) -> None:
    owner = await asyncpg.connect(database_url)
    await owner.execute(
        "CREATE FUNCTION records.slow() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN PERFORM pg_sleep({EACH_S}); RETURN OLD; END $$;"
        "CREATE TRIGGER slow BEFORE DELETE ON records.outbox FOR EACH ROW EXECUTE FUNCTION records.slow()"
    )
    await owner.close()
    await put(notes, *(note(key, version) for version in range(1, 501) for key in ("a", "b")))

    async with bounded(notes, "transaction_timeout") as pool:
        working = relay(notes, pool)
        async with relaying(working):
            await until(working.idle)

    found = await published(notes)
    assert {key: list(dict.fromkeys(versions)) for key, versions in found.items()} == {
        key: list(range(1, 501)) for key in ("a", "b")
    }
