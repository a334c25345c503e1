"""Two transactions that read a cancellation and a booking at once still make one move of them (D37)."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from chassis.delivery.consumer import Applied
from notifier.fanout.domain.transitions import VisitReading
from notifier.fanout.handle.appointments import on_appointments
from notifier.fanout.store import PostgresFanoutStore
from notifier.gate.domain.facts import SendingModeName
from notifier.gate.domain.modes import SendingMode
from schemas.appointments import Appointment, Status
from tests.support.notifier.bookings_tables import MONDAY
from tests.support.notifier.running import World

pytestmark = pytest.mark.integration

PAIRS = 40
LIVE = SendingMode(SendingModeName.LIVE)


def reading(*visits: Appointment) -> list[VisitReading]:
    return [VisitReading.model_validate(visit.model_dump(mode="json")) for visit in visits]


async def fan_out(world: World, events: Sequence[VisitReading]) -> Applied:
    """Apply a batch in a transaction of its own, as the consumer does."""
    async with world.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        return await on_appointments(
            PostgresFanoutStore(connection, "/{appointment_id}", world.peppers), events, LIVE, world.now
        )


async def told_of(world: World, visits: Sequence[Appointment]) -> None:
    """Book visits whose patients have got their confirmation."""
    for visit in visits:
        await world.hold(visit)
    await fan_out(world, reading(*visits))
    await world.pool.execute(
        "UPDATE notification SET state = 'accepted', accepted_at = $1 WHERE kind = 'confirmation'", world.now
    )


async def test_d37_whichever_commits_first_the_other_finds_it(world: World) -> None:
    old = [world.visit(await world.patient()) for _ in range(PAIRS)]
    await told_of(world, old)
    world.step(timedelta(hours=1))
    gone = [one.model_copy(update={"version": 2, "status": Status.CANCELLED, "ingest_time": world.now}) for one in old]
    new = [world.visit(one.patient_id, starts_at=MONDAY + timedelta(days=5)) for one in old]
    for visit in (*gone, *new):
        await world.hold(visit)

    for cancelled, booked in zip(gone, new, strict=True):
        await asyncio.gather(fan_out(world, reading(booked)), fan_out(world, reading(cancelled)))

    rows = await world.pool.fetch(
        "SELECT kind, state, reason, count(*) FROM notification"
        " WHERE recipient = 'patient' AND state <> 'accepted' GROUP BY 1, 2, 3 ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [
        ("cancelled", "skipped", "SUPERSEDED", PAIRS),
        ("moved", "queued", None, PAIRS),
    ]


async def test_d37_g3_a_large_batch_again_changes_nothing(world: World) -> None:
    """The batch is large enough for COPY, has moves, cancellations and twins in it, and comes three times."""
    provider = await world.provider()
    old = [world.visit(await world.patient(), provider) for _ in range(60)]
    await told_of(world, old)
    world.step(timedelta(hours=1))
    changed = [
        one.model_copy(update={"version": 2, "status": Status.CANCELLED, "ingest_time": world.now}) for one in old
    ]
    fresh = [world.visit(one.patient_id, provider, starts_at=MONDAY + timedelta(days=5)) for one in old]
    fresh += [world.visit(await world.patient(mobile=None), provider) for _ in range(60)]
    for visit in (*changed, *fresh):
        await world.hold(visit)
    batch = reading(*fresh, *changed)

    first = await fan_out(world, batch)
    kept = await world.pool.fetch("SELECT * FROM notification ORDER BY notification_id")
    again = await fan_out(world, batch)
    await world.pool.execute("DELETE FROM appointment")  # as if the topic were read from its beginning (I12)
    await fan_out(world, [*reading(*old), *batch])

    numbers = await world.pool.fetch("SELECT number FROM inbox WHERE provider_id = $1 ORDER BY number", provider)
    kinds = await world.pool.fetch(
        "SELECT kind, state, count(*) FROM notification WHERE recipient = 'patient' GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert (first, again) == (Applied([], []), Applied(list(range(180)), []))
    assert [tuple(row) for row in kinds] == [
        ("cancelled", "skipped", 60),
        ("confirmation", "accepted", 60),
        ("confirmation", "queued", 60),
        ("moved", "queued", 60),
    ]
    assert kept == await world.pool.fetch("SELECT * FROM notification ORDER BY notification_id")
    assert [row["number"] for row in numbers] == list(range(1, 60 + 60 + 120 + 1))
