"""The stories on PostgreSQL: what the database must hold, and what two transactions do to each other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any, cast

import pytest
from asyncpg import Connection

from chassis.delivery.consumer import Applied
from chassis.postgres.database import Pool
from chassis.process.errors import RejectedEvent
from records.adapters.store import PostgresStore
from records.domain import Erased
from records.handle import on_appointments, on_patients, on_providers
from schemas.appointments import Status
from tests.support.records.builders import NOW, id_of, known, registered, seen
from tests.support.waiting import until

pytestmark = pytest.mark.integration

Story = Callable[..., Awaitable[Applied]]


async def tell(pool: Pool, story: Story, events: Sequence[object], **policy: bool) -> Applied:
    """Tell a story in a transaction of its own, as a process that knows no provider yet."""
    async with transaction(pool) as connection:
        return await story(PostgresStore(connection, set()), events, NOW, **policy)


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    async with pool.acquire() as connection, connection.transaction():
        yield cast(Connection, connection)


async def files(pool: Pool) -> list[tuple[Any, ...]]:
    rows = await pool.fetch("SELECT number, status, provider_id::text, version FROM sub_file ORDER BY number")
    return [tuple(row) for row in rows]


async def a_clinic(pool: Pool) -> None:
    await tell(pool, on_patients, [registered()])
    await tell(pool, on_providers, [known()])


async def waits_for_a_lock(pool: Pool) -> bool:
    waiting = await pool.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    return bool(waiting)


async def test_r1_r4_r5_r6_a_booking_makes_one_row_and_one_outgoing_event(pool: Pool) -> None:
    await a_clinic(pool)

    counts = await tell(pool, on_appointments, [seen()])

    assert counts == Applied([], [])
    assert await files(pool) == [("FILE-2026-000007-EYE-01", "ACTIVE", id_of("dr who"), 1)]
    assert await pool.fetchval("SELECT count(*) FROM outbox") == 1


@pytest.mark.parametrize("clinic", ["NULL", "NIL", "00", "TRUE"])
async def test_a_clinic_may_have_a_code_that_means_something_elsewhere(pool: Pool, clinic: str) -> None:
    await a_clinic(pool)

    counts = await tell(pool, on_appointments, [seen(clinic=clinic), seen("other", patient="bob")])

    assert counts == Applied([], [])
    assert await pool.fetchval("SELECT clinic_id FROM sub_file WHERE patient_id = $1", id_of("ann")) == clinic


ODD = (
    "NULL",
    "null",
    "",
    " ",
    "{",
    "}",
    "{}",
    ",",
    "a,b",
    '"',
    '""',
    "\\",
    "\\N",
    "'",
    "$1",
    "%s",
    "--",
    "\n",
    "é",
    "\U0001f600",
)


async def test_any_text_comes_out_of_a_column_as_it_went_in(pool: Pool) -> None:
    events = [seen(str(number)).model_copy(update={"clinic_id": text}) for number, text in enumerate(ODD)]

    async with transaction(pool) as connection:
        await PostgresStore(connection, set()).keep_appointments(events)

    rows = await pool.fetch("SELECT appointment_id::text, clinic_id FROM appointment")
    assert {row[0]: row[1] for row in rows} == {id_of(str(number)): text for number, text in enumerate(ODD)}


async def test_versions_held_are_told_apart_from_fresh_and_refused_ones(pool: Pool) -> None:
    await tell(pool, on_appointments, [seen("old", 3), seen("older", 2)])

    counts = await tell(
        pool,
        on_appointments,
        [seen("old", 2), seen("old", 3), seen("older", 3), seen("older", 4), seen("fresh", 1), seen("fresh", 1)],
    )

    assert counts == Applied(repeat=[1, 5], stale=[0])


async def test_r8_duplicates_ten_times_and_shuffled_come_to_the_same_rows(pool: Pool) -> None:
    await a_clinic(pool)
    events = [seen(f"visit {n}", v, clinic=clinic) for n in range(8) for v in (1, 2) for clinic in ("EYE", "SKIN")] * 10
    Random(1).shuffle(events)

    for start in range(0, len(events), 23):
        await tell(pool, on_appointments, events[start : start + 23])

    assert [number for number, *_ in await files(pool)] == ["FILE-2026-000007-EYE-01", "FILE-2026-000007-SKIN-01"]


async def test_r3_two_transactions_for_one_patient_and_clinic_open_one_file(pool: Pool) -> None:
    await a_clinic(pool)
    async with transaction(pool) as first:
        await on_appointments(PostgresStore(first, set()), [seen("one")], NOW)
        second = asyncio.create_task(tell(pool, on_appointments, [seen("two")]))
        await until(lambda: waits_for_a_lock(pool))

    assert await second == Applied([], [])
    assert len(await files(pool)) == 1
    assert await pool.fetchval("SELECT count(*) FROM outbox") == 1


async def test_r3_a_transaction_that_rolls_back_leaves_the_opening_to_the_next(pool: Pool) -> None:
    await a_clinic(pool)
    async with pool.acquire() as dying:
        first = dying.transaction()
        await first.start()
        await on_appointments(PostgresStore(cast(Connection, dying), set()), [seen("one")], NOW)
        second = asyncio.create_task(tell(pool, on_appointments, [seen("two")]))
        await until(lambda: waits_for_a_lock(pool))
        await first.rollback()

    await second
    assert len(await files(pool)) == 1


async def test_d5_a_main_file_that_comes_during_a_booking_completes_its_parked_file(pool: Pool) -> None:
    async with transaction(pool) as booking:
        await on_appointments(PostgresStore(booking, set()), [seen(provider=None)], NOW)
        arriving = asyncio.create_task(tell(pool, on_patients, [registered()]))
        await until(lambda: waits_for_a_lock(pool))

    await arriving
    assert await files(pool) == [("FILE-2026-000007-EYE-01", "ACTIVE", None, 2)]


async def test_d5_a_booking_during_the_arrival_of_the_main_file_waits_and_uses_it(pool: Pool) -> None:
    async with transaction(pool) as arriving:
        await on_patients(PostgresStore(arriving, set()), [registered()], NOW)
        booking = asyncio.create_task(tell(pool, on_appointments, [seen(provider=None)]))
        await until(lambda: waits_for_a_lock(pool))

    await booking
    assert await files(pool) == [("FILE-2026-000007-EYE-01", "ACTIVE", None, 1)]


async def test_d6_a_provider_who_becomes_known_during_a_booking_is_assigned(pool: Pool) -> None:
    await tell(pool, on_patients, [registered()])
    async with transaction(pool) as booking:
        await on_appointments(PostgresStore(booking, set()), [seen()], NOW)
        arriving = asyncio.create_task(tell(pool, on_providers, [known()]))
        await until(lambda: waits_for_a_lock(pool))

    await arriving
    assert await files(pool) == [("FILE-2026-000007-EYE-01", "ACTIVE", id_of("dr who"), 2)]


async def test_d6_a_booking_while_its_provider_becomes_known_waits_and_assigns_him(pool: Pool) -> None:
    await tell(pool, on_patients, [registered()])
    async with transaction(pool) as arriving:
        await on_providers(PostgresStore(arriving, set()), [known()], NOW)
        booking = asyncio.create_task(tell(pool, on_appointments, [seen()]))
        await until(lambda: waits_for_a_lock(pool))

    await booking
    assert await files(pool) == [("FILE-2026-000007-EYE-01", "ACTIVE", id_of("dr who"), 1)]


async def test_d6_a_later_visits_provider_fills_an_empty_place(pool: Pool) -> None:
    await a_clinic(pool)
    await tell(pool, on_appointments, [seen(provider=None)])

    await tell(pool, on_appointments, [seen("another visit")])

    assert await files(pool) == [("FILE-2026-000007-EYE-01", "ACTIVE", id_of("dr who"), 2)]


async def test_d1_by_policy_a_closed_file_is_followed_by_the_next_ordinal(pool: Pool) -> None:
    await a_clinic(pool)
    await tell(pool, on_appointments, [seen()])
    await pool.execute("UPDATE sub_file SET status = 'CLOSED'")

    await tell(pool, on_appointments, [seen("unwanted")])
    await tell(pool, on_appointments, [seen("a year later")], replace_closed=True)

    assert [number for number, *_ in await files(pool)] == ["FILE-2026-000007-EYE-01", "FILE-2026-000007-EYE-02"]


async def test_two_patients_cannot_hold_one_main_file(pool: Pool) -> None:
    await tell(pool, on_patients, [registered()])

    with pytest.raises(RejectedEvent) as refused:
        await tell(pool, on_patients, [registered("bob")])

    assert refused.value.code == "MAIN_FILE_TAKEN"


async def test_d44_a_merge_is_noted_and_both_files_stay(pool: Pool) -> None:
    await a_clinic(pool)
    await tell(pool, on_patients, [registered("bob", main_file="FILE-2026-000008")])
    await tell(pool, on_appointments, [seen("one"), seen("two", patient="bob")])
    merged = registered("bob", 2, "FILE-2026-000008")

    await tell(pool, on_patients, [type(merged)(merged.patient_id, 2, merged.main_file, id_of("ann"), "merge")])

    assert len(await files(pool)) == 2
    link = await pool.fetchval("SELECT merged_into::text FROM patient WHERE patient_id = $1", id_of("bob"))
    assert link == id_of("ann")


async def test_a_tombstone_forgets_the_main_file_and_leaves_the_sub_file(pool: Pool) -> None:
    await a_clinic(pool)
    await tell(pool, on_appointments, [seen()])

    await tell(pool, on_patients, [Erased(id_of("ann"))])

    assert await pool.fetchval("SELECT main_file FROM patient WHERE patient_id = $1", id_of("ann")) is None
    assert len(await files(pool)) == 1


async def test_d3_a_cancelled_visit_never_booked_opens_nothing(pool: Pool) -> None:
    await a_clinic(pool)

    await tell(pool, on_appointments, [seen(status=Status.CANCELLED, ever_booked=False)])

    assert await files(pool) == []
