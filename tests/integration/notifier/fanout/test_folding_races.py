"""Two transactions that read a cancellation and a booking at once still make one move of them (D37)."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from chassis.delivery.consumer import Applied
from notifier.fanout.domain.versions import VisitReading
from notifier.fanout.handle.appointments import on_appointments
from notifier.fanout.store import PostgresFanoutStore
from notifier.gate.domain.facts import SendingModeName
from notifier.gate.domain.modes import SendingMode
from schemas.appointments import Appointment, Status
from tests.support.notifier.bookings_tables import MONDAY
from tests.support.notifier.running import RunningNotifier

pytestmark = pytest.mark.integration

PAIRS = 40
LIVE = SendingMode(SendingModeName.LIVE)


def reading(*visits: Appointment) -> list[VisitReading]:
    return [VisitReading.model_validate(visit.model_dump(mode="json")) for visit in visits]


async def fan_out(notifier: RunningNotifier, events: Sequence[VisitReading]) -> Applied:
    """Apply a batch in a transaction of its own, as the consumer does."""
    async with notifier.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        return await on_appointments(
            PostgresFanoutStore(connection, "/{appointment_id}", notifier.peppers), events, LIVE, notifier.now
        )


async def told_of(notifier: RunningNotifier, visits: Sequence[Appointment]) -> None:
    """Book visits whose patients have got their confirmation."""
    for visit in visits:
        await notifier.hold(visit)
    await fan_out(notifier, reading(*visits))
    await notifier.pool.execute(
        "UPDATE notification SET state = 'accepted', accepted_at = $1, said_at = $1, said_starts_at = not_after"
        " WHERE kind = 'confirmation'",
        notifier.now,
    )


async def test_d37_whichever_commits_first_the_other_finds_it(notifier: RunningNotifier) -> None:
    old = [notifier.visit(await notifier.patient()) for _ in range(PAIRS)]
    await told_of(notifier, old)
    notifier.step(timedelta(hours=1))
    gone = [
        one.model_copy(update={"version": 2, "status": Status.CANCELLED, "ingest_time": notifier.now}) for one in old
    ]
    new = [notifier.visit(one.patient_id, starts_at=MONDAY + timedelta(days=5)) for one in old]
    for visit in (*gone, *new):
        await notifier.hold(visit)

    for cancelled, booked in zip(gone, new, strict=True):
        await asyncio.gather(fan_out(notifier, reading(booked)), fan_out(notifier, reading(cancelled)))

    rows = await notifier.pool.fetch(
        "SELECT kind, state, reason, count(*) FROM notification"
        " WHERE recipient = 'patient' AND state <> 'accepted' GROUP BY 1, 2, 3 ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [
        ("cancelled", "queued", None, PAIRS),  # until it is known that the other message told it
        ("moved", "queued", None, PAIRS),
    ]


async def test_d37_g3_a_large_batch_again_changes_nothing(notifier: RunningNotifier) -> None:
    """The batch is large enough for COPY, has moves, cancellations and twins in it, and comes three times."""
    provider = await notifier.provider()
    old = [notifier.visit(await notifier.patient(), provider) for _ in range(60)]
    await told_of(notifier, old)
    notifier.step(timedelta(hours=1))
    changed = [
        one.model_copy(update={"version": 2, "status": Status.CANCELLED, "ingest_time": notifier.now}) for one in old
    ]
    fresh = [notifier.visit(one.patient_id, provider, starts_at=MONDAY + timedelta(days=5)) for one in old]
    fresh += [notifier.visit(await notifier.patient(mobile=None), provider) for _ in range(60)]
    for visit in (*changed, *fresh):
        await notifier.hold(visit)
    batch = reading(*fresh, *changed)

    first = await fan_out(notifier, batch)
    kept = await notifier.pool.fetch("SELECT * FROM notification ORDER BY notification_id")
    again = await fan_out(notifier, batch)
    await notifier.pool.execute("DELETE FROM appointment")  # as if the topic were read from its beginning (I12)
    await fan_out(notifier, [*reading(*old), *batch])

    numbers = await notifier.pool.fetch("SELECT number FROM inbox WHERE provider_id = $1 ORDER BY number", provider)
    kinds = await notifier.pool.fetch(
        "SELECT kind, state, count(*) FROM notification WHERE recipient = 'patient' GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert (first, again) == (Applied([], []), Applied(list(range(180)), []))
    assert [tuple(row) for row in kinds] == [
        ("cancelled", "queued", 60),
        ("confirmation", "accepted", 60),
        ("confirmation", "queued", 60),
        ("moved", "queued", 60),
    ]
    assert kept == await notifier.pool.fetch("SELECT * FROM notification ORDER BY notification_id")
    assert [row["number"] for row in numbers] == list(range(1, 60 + 60 + 120 + 1))
