"""What cannot be read of the worker's own changelog stops the timers of that partition alone, until it begins anew."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from chassis.api.app import serve
from chassis.kafka.partitioner import partition_of
from chassis.process.clock import RealClock
from reminders.reconciler.domain import SETTLED_AFTER
from reminders.timers.terms import key_of
from schemas.topics import APPOINTMENTS, TIMERS_CHANGELOG
from stack.ports import free_port
from tests.support.booking.door import OPERATOR_KEY, Door, booking, opened_on_kafka, running
from tests.support.raw_batches import PLAIN, ZSTD, append_raw, batch
from tests.support.reminders.running import Process, RunningReminders
from tests.support.waiting import until

pytestmark = pytest.mark.integration

START = datetime(2027, 3, 12, 10, tzinfo=UTC)
"""Of what `booking` books."""

BY = ("--by", "ann", "--reason", "a disk gave back other bytes than it was given")


@asynccontextmanager
async def town(reminders: RunningReminders) -> AsyncIterator[tuple[Door, dict[str, str]]]:
    """Give a booking that answers, and the settings by which a worker's reconciler asks it."""
    reminders.step(RealClock().now() + 2 * SETTLED_AFTER)
    port, stop = free_port(), asyncio.Event()
    async with opened_on_kafka(reminders.installation) as door, running(door):
        serving = asyncio.create_task(serve(door.service.api, "127.0.0.1", port, stop))
        yield door, {"REMINDERS_BOOKING_URL": f"http://127.0.0.1:{port}", "REMINDERS_BOOKING_KEY": OPERATOR_KEY}
        stop.set()
        await serving


async def book(door: Door, *names: str) -> list[UUID]:
    answers = (await door.post([booking(f"e {name}", name) for name in names]))["results"]
    return [UUID(answer["appointment_id"]) for answer in answers]


def number(visit: UUID) -> int:
    return partition_of(str(visit).encode(), APPOINTMENTS.partitions)


def torn() -> bytes:
    return batch((b"key", b"value", ()), (b"key", b"value", ()), odd_attributes=True)


def huge() -> bytes:
    return batch((b"key", bytes(33 << 20), ()), codec=ZSTD)


def strange() -> bytes:
    return batch((bytes(16), b"\x09 a format of the future", ()), codec=PLAIN)


def cut_short() -> bytes:
    return batch((bytes(16), b"\x02", ()), codec=PLAIN)


def of_no_terms() -> bytes:
    return batch((bytes(16), b"\x02" + bytes(24) + b"\xff\xff\x00\x00" + b"\0", ()), codec=PLAIN)


@pytest.mark.parametrize("damage", [torn, huge, strange, cut_short, of_no_terms])
async def test_timers_of_that_partition_wait_and_all_others_fire(
    reminders: RunningReminders, damage: Callable[[], bytes]
) -> None:
    async with town(reminders) as (door, _):
        visits = await book(door, *(f"v{n}" for n in range(12)))
        hurt = number(visits[0])
        await stopped(reminders, lambda: held(reminders, visits))
        await append_raw(reminders.installation.bootstrap, changelog(reminders), damage(), hurt)

        worker = reminders.start("worker")
        await until(lambda: says(reminders, worker, f"timers-changelog[{hurt}] stands at"), "it says what stands still")
        reminders.step(START - timedelta(hours=24))

        others = {visit for visit in visits if number(visit) != hurt}
        await until(lambda: handed_over(reminders, others), "the others fire")
        told = await reasons(reminders, worker)
        assert f"timers-changelog {hurt} --to" in told
        assert "while the reconciler is off" in told
        assert {due.appointment_id for due in await reminders.due()} == others
        assert worker.kill(signal.SIGTERM) == 0


async def test_a_partition_that_a_person_lets_begin_anew_is_planned_from_booking_and_no_ghost_is_handed_over(
    reminders: RunningReminders,
) -> None:
    """What the batch held is nobody's to know: a row of before it may be one that was cancelled in it."""
    async with town(reminders) as (door, reconciler):
        visits = await book(door, *(f"v{n}" for n in range(40)))
        hurt = number(visits[0])
        inside = [visit for visit in visits if number(visit) == hurt]
        await stopped(reminders, lambda: held(reminders, visits))
        rows = (await reminders.changelog())[hurt]
        ghost = inside[0]
        await door.post({"event_id": "c", "appointment": {"id": f"v{visits.index(ghost)}", "status": "cancelled"}})
        await stopped(reminders, lambda: versions(reminders, {ghost: 2}))
        stale = batch((ghost.bytes, rows[ghost.bytes], ()), codec=PLAIN)
        for raw in (stale, torn()):
            await append_raw(reminders.installation.bootstrap, changelog(reminders), raw, hurt)

        worker = reminders.start("worker", **reconciler)
        await until(lambda: says(reminders, worker, f"timers-changelog[{hurt}] stands at"), "it says what stands still")
        to = (await reasons(reminders, worker)).split(f"timers-changelog {hurt} --to ")[1].split(" ")[0]
        done, told = await reminders.command("dead-letters", "skip", TIMERS_CHANGELOG.name, str(hurt), "--to", to, *BY)

        assert done == 0, told
        assert [(row[1], row[2], row[4], row[5]) for row in await reminders.skips()] == [
            (changelog(reminders), hurt, int(to), "ann")
        ]
        await reminders.ready(worker)
        plans = [plan.appointment_id for plan in await reminders.planned()]
        assert all(plans.count(visit) == 2 for visit in inside[1:]), "what is ahead was planned anew"
        assert worker.kill(signal.SIGTERM) == 0
        again = reminders.start("worker", **reconciler)
        await reminders.ready(again)
        assert (await reminders.get(again, "/status")).json()["reconciler"] == "waiting for its first pass", (
            "it asks no more"
        )
        reminders.step(START - timedelta(hours=24))
        await until(lambda: handed_over(reminders, set(visits) - {ghost}), "no timer is lost")
        await reminders.idle(again)
        assert ghost not in {due.appointment_id for due in await reminders.due()}
        assert again.kill(signal.SIGTERM) == 0


async def test_rows_of_damaged_terms_are_set_aside_when_they_are_due_and_planned_anew_from_booking(
    reminders: RunningReminders,
) -> None:
    async with town(reminders) as (door, reconciler):
        visits = await book(door, *(f"v{n}" for n in range(24)))
        hurt = number(visits[0])
        inside = {visit for visit in visits if number(visit) == hurt}
        await stopped(reminders, lambda: held(reminders, visits))
        damaged = batch((key_of(1), b"no terms", ()), codec=PLAIN)
        await append_raw(reminders.installation.bootstrap, changelog(reminders), damaged, hurt)
        alone = reminders.start("worker")
        await reminders.ready(alone)

        reminders.step(START - timedelta(hours=24))

        await until(lambda: handed_over(reminders, set(visits) - inside), "the others fire")
        await until(lambda: says(reminders, alone, f"[{hurt}] has {len(inside)} rows that were due"), "they are named")
        assert "set REMINDERS_BOOKING_URL" in await reasons(reminders, alone)
        assert alone.kill(signal.SIGTERM) == 0
        worker = reminders.start("worker", **reconciler)
        await until(lambda: says(reminders, worker, "the reconciler's next pass plans them"), "they are named again")
        await until(lambda: handed_over(reminders, inside), "they are planned anew, and fire")
        await reminders.ready(worker)
        assert worker.kill(signal.SIGTERM) == 0


def changelog(reminders: RunningReminders) -> str:
    return reminders.installation.topic_prefix + TIMERS_CHANGELOG.name


async def stopped(reminders: RunningReminders, when: Callable[[], Any]) -> None:
    """Run a worker until then."""
    worker = reminders.start("worker")
    await until(when, "it took what was booked")
    await reminders.idle(worker)
    assert worker.kill(signal.SIGTERM) == 0


async def held(reminders: RunningReminders, visits: list[UUID]) -> bool:
    rows = await reminders.changelog()
    return all(visit.bytes in rows[number(visit)] for visit in visits)


async def versions(reminders: RunningReminders, wanted: dict[UUID, int]) -> bool:
    newest = {plan.appointment_id: plan.version for plan in await reminders.planned()}
    rows = await reminders.changelog()
    return all(newest.get(one) == v and one.bytes in rows[number(one)] for one, v in wanted.items())


async def handed_over(reminders: RunningReminders, wanted: set[UUID]) -> bool:
    return {due.appointment_id for due in await reminders.due()} >= wanted


async def reasons(reminders: RunningReminders, worker: Process) -> str:
    return str((await reminders.get(worker, "/health/ready")).json()["reasons"])


async def says(reminders: RunningReminders, worker: Process, what: str) -> bool:
    assert worker.lives, worker.log[-3000:]
    try:
        return what in (await reasons(reminders, worker))
    except httpx2.TransportError:
        return False
