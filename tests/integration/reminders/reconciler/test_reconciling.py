"""The reconciler between a real booking and real timers: nothing while all is well, and every kind of damage mended."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from aiokafka import AIOKafkaProducer

from chassis.api.app import serve
from chassis.kafka.partitioner import partition_of
from chassis.process.clock import RealClock
from chassis.process.errors import Unavailable
from reminders.reconciler.booking_api import BookingApi
from reminders.reconciler.domain import SETTLED_AFTER, Difference
from reminders.reconciler.handle import Found, Reconciler
from reminders.reconciler.worker_timers import EngineTimers
from reminders.settings import Settings
from reminders.timers.engine import Engine, Reports
from reminders.timers.partition import Partition
from reminders.timers.row import NEVER, Row, pack, unpack
from reminders.wiring import engine_of
from schemas.topics import APPOINTMENTS
from schemas.wire import encode
from stack.ports import free_port
from tests.support.booking.door import OPERATOR_KEY, Door, booking, opened_on_kafka, running
from tests.support.installation import Installation
from tests.support.reminders.builders import appointment, headers_of, id_of
from tests.support.reminders.running import RunningReminders
from tests.support.waiting import until

pytestmark = pytest.mark.integration


@dataclass
class Town:
    """A booking and a worker in the test's own loop.

    Attributes:
        versions: The newest version that booking answered with, by appointment.
    """

    installation: Installation
    door: Door
    engine: Engine
    versions: dict[UUID, int] = field(default_factory=dict)

    async def book(self, *events: dict[str, Any]) -> list[UUID]:
        """Post events; remember the versions; return the appointments."""
        results = (await self.door.post(list(events)))["results"]
        self.versions |= {UUID(result["appointment_id"]): result["version"] for result in results}
        return [UUID(result["appointment_id"]) for result in results]

    def part(self, appointment_id: UUID) -> Partition:
        """Return the partition of an appointment, to damage it."""
        return self.engine._live()[self.number(appointment_id)]

    def number(self, appointment_id: UUID) -> int:
        return partition_of(str(appointment_id).encode(), APPOINTMENTS.partitions)

    def row(self, appointment_id: UUID) -> Row | None:
        return self.engine.get(self.number(appointment_id), appointment_id.bytes)

    def put(self, appointment_id: UUID, row: Row) -> None:
        """Damage a row."""
        self.part(appointment_id).put(appointment_id.bytes, pack(row))

    async def in_step(self) -> None:
        """Wait until the timers hold every version that booking has answered with so far."""
        wanted = dict(self.versions)

        async def taken() -> bool:
            rows = ((self.row(appointment_id), version) for appointment_id, version in wanted.items())
            return all(row is not None and row.version >= version for row, version in rows)

        await until(taken, "the timers hold what was booked")

    async def reconcile(self, settle: Callable[[], Awaitable[None]] | None = None) -> Found:
        """Make a pass that takes every version for old enough, so that nothing is passed over."""
        headers = {"Authorization": f"Bearer {OPERATOR_KEY}", "Content-Type": "application/json"}
        transport = self.door.http._transport
        async with httpx2.AsyncClient(transport=transport, base_url="http://booking", headers=headers) as client:
            name = self.installation.topic_prefix + APPOINTMENTS.name
            timers = EngineTimers(self.engine, name, APPOINTMENTS.partitions, RealClock().now)
            late = RealClock().now() + SETTLED_AFTER
            return await Reconciler(BookingApi(client), timers, lambda: late, settle or self.in_step).reconcile()


@pytest.fixture
async def town(installation: Installation) -> AsyncIterator[Town]:
    """Start booking and a worker, with 24 visits booked and two of them cancelled."""
    async with opened_on_kafka(installation) as door, running(door):
        settings = Settings.model_validate(
            {
                "database_url": installation.service_url("reminders"),
                "kafka_bootstrap_servers": installation.bootstrap,
                "topic_prefix": installation.topic_prefix,
            }
        )
        engine = engine_of(settings, RealClock(), Reports())
        stop = asyncio.Event()
        work = asyncio.create_task(engine.run(stop))
        town = Town(installation, door, engine)

        async def ready() -> bool:
            assert not work.done(), work.exception()
            return engine.ready

        await until(ready, "the timers are ready")
        await town.book(*(booking(f"e{n}", f"v{n}") for n in range(24)))
        cancel = [{"event_id": f"c{n}", "appointment": {"id": f"v{n}", "status": "cancelled"}} for n in range(2)]
        await town.book(*cancel)
        await town.in_step()
        yield town
        stop.set()
        await work


async def test_each_kind_of_damage_is_found_mended_and_not_found_again(town: Town) -> None:
    healthy = await town.reconcile()
    assert (healthy.mended, healthy.left, healthy.compared) == (Counter(), None, 24 + 22)
    cancelled, _, missing, other, *_ = town.versions
    before = {key: packed for rows in town.engine.packed_rows().values() for key, packed in rows.items()}
    ghost = appointment("ghost", starts_at=RealClock().now() + timedelta(days=9))
    town.part(missing).drop(missing.bytes)
    row = unpack(before[other.bytes])
    town.put(other, row._replace(generation=row.generation + 1))
    row = unpack(before[cancelled.bytes])
    town.put(cancelled, row._replace(next_due=row.anchor - 1, marks=b"\0"))
    await publish(town, ghost)
    await until(lambda: held(town, id_of("ghost")), "the ghost has a row")

    found = await town.reconcile(at_once)

    assert found.mended == {Difference.MISSING: 1, Difference.DIFFERENT: 1, Difference.UNWANTED: 2}
    after = {key: packed for rows in town.engine.packed_rows().values() for key, packed in rows.items()}
    row_of_ghost = town.row(id_of("ghost"))
    assert row_of_ghost is not None
    assert row_of_ghost.next_due == NEVER
    after.pop(id_of("ghost").bytes)
    assert after == before
    assert (await town.reconcile()).mended == Counter()


async def test_timers_that_wait_for_a_patient_who_is_not_to_be_reminded_are_found_and_cancelled(town: Town) -> None:
    await town.door.put("/v1/patients/bob", {"do_not_contact": True})
    (barred,) = await town.book(booking("e bob", "bobs", patient={"id": "bob"}))
    await town.in_step()
    assert (await town.reconcile()).mended == Counter()
    row = town.row(barred)
    assert row is not None
    assert row.next_due == NEVER
    town.put(barred, row._replace(next_due=row.anchor - 1, marks=b"\0"))

    found = await town.reconcile(at_once)

    assert found.mended == {Difference.UNWANTED: 1}
    assert town.row(barred) == row
    assert (await town.reconcile()).mended == Counter()


async def test_under_load_nothing_is_found(town: Town) -> None:
    """Booked, moved and cancelled all the time, and every version compared however young: all was on its way."""
    over = asyncio.Event()

    async def load() -> int:
        number = 0
        while not over.is_set():
            number += 1
            start = f"2027-04-{number % 27 + 1:02}T09:00:00Z"
            await town.book(
                *(booking(f"new {number}/{n}", f"n{number}/{n}") for n in range(20)),
                booking(f"move {number}", f"v{2 + number % 22}", start=start, end=None),
                {"event_id": f"gone {number}", "appointment": {"id": f"n{number}/0", "status": "cancelled"}},
            )
        return number

    working = asyncio.create_task(load())
    passes = [await town.reconcile() for _ in range(4)]
    over.set()

    assert await working > 4
    assert [(found.mended.total(), found.left) for found in passes] == [(0, None)] * 4
    await town.in_step()
    assert (await town.reconcile()).mended == Counter()


async def test_a_booking_that_does_not_answer_is_no_difference(town: Town) -> None:
    def away(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(503)

    def refused(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(403)

    timers = EngineTimers(town.engine, "appointments", APPOINTMENTS.partitions, RealClock().now)
    for answer, code in ((away, "BOOKING_UNAVAILABLE"), (refused, "BOOKING_KEY_REFUSED")):
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer), base_url="http://booking") as client:
            with pytest.raises(Unavailable) as raised:
                await Reconciler(BookingApi(client), timers, RealClock().now, town.in_step).reconcile()
        assert raised.value.code == code


async def test_a_worker_says_what_it_compared(reminders: RunningReminders) -> None:
    reminders.step(RealClock().now() + 2 * SETTLED_AFTER)
    port, stop = free_port(), asyncio.Event()
    async with opened_on_kafka(reminders.installation) as door, running(door):
        serving = asyncio.create_task(serve(door.service.api, "127.0.0.1", port, stop))
        await door.post(booking())
        worker = reminders.start(
            "worker",
            REMINDERS_BOOKING_URL=f"http://127.0.0.1:{port}",
            REMINDERS_BOOKING_KEY=OPERATOR_KEY,
            REMINDERS_RECONCILE_EVERY_S="0.3",
        )
        await reminders.ready(worker)

        async def compared() -> bool:
            status = (await reminders.get(worker, "/status")).json()
            return (status["reconciler"], status["reconciled"]) == ("compared 2: 0 missing, 0 different, 0 unwanted", 0)

        await until(compared, "the visit was compared as ahead, and as waiting")
        metrics = (await reminders.get(worker, "/metrics")).text
        assert 'attend_reconciled_total{difference="missing"} 0.0' in metrics
        assert "attend_reconciler_compared 2.0" in metrics
        assert OPERATOR_KEY not in worker.log
        assert worker.kill(signal.SIGTERM) == 0
        stop.set()
        await serving


async def at_once() -> None:
    """Look the second time without waiting."""


async def publish(town: Town, event: Any) -> None:
    """Write an event that booking knows nothing of."""
    producer = AIOKafkaProducer(bootstrap_servers=town.installation.bootstrap)
    await producer.start()
    try:
        name = town.installation.topic_prefix + APPOINTMENTS.name
        key = str(event.appointment_id).encode()
        await producer.send_and_wait(name, encode(event), key, headers=list(headers_of(event)))
    finally:
        await producer.stop()


async def held(town: Town, appointment_id: UUID) -> bool:
    return town.row(appointment_id) is not None
