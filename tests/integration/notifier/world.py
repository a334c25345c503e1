"""A notifier on real parts: booking's tables filled by hand, real topics, real carriers, real processes."""

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from chassis import clock
from notifier.settings import Settings
from notifier.wiring import LANES, Service, build
from schemas import wire
from schemas.appointments import APPOINTMENT_CHANGED, Appointment, Mode, ReminderPolicy, SendWindow, Status
from schemas.envelope import Envelope
from schemas.notifications import Channel, NotificationChanged
from schemas.reminders import REMINDER_DUE, ReminderDue
from schemas.topics import APPOINTMENTS, NOTIFICATIONS, REMINDERS, Topic
from stack.ports import free_port
from tests.integration.notifier.carriers import Carriers
from tests.support.installation import Installation

KEY = "the operator's key"
MONDAY = datetime(2027, 3, 1, 9, tzinfo=UTC)
WITHIN_S = 120.0
CLINIC = "NORTH"
_POLICY = ReminderPolicy(policy_id="none", rules=(), window=SendWindow(opens=time(7), closes=time(21)))
_SERIAL = count(1)


async def until(condition: Callable[[], Awaitable[bool]], within_s: float = WITHIN_S) -> None:
    """Wait until a condition holds, or fail."""
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110  # what is waited for is another program's
            await asyncio.sleep(0.03)


class World:
    """One test's installation, seen by the notifier."""

    def __init__(
        self, installation: Installation, carriers: Carriers, folder: Path, producer: AIOKafkaProducer,
        admin: asyncpg.Connection, pool: asyncpg.Pool,
    ) -> None:  # fmt: skip
        self.carriers, self.pool, self.clock_file = carriers, pool, folder / "clock.json"
        self.http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}, timeout=60)
        self.port = free_port()
        self._installation, self._producer, self._admin = installation, producer, admin
        self._running = AsyncExitStack()
        clock.step(self.clock_file, MONDAY)

    @classmethod
    @asynccontextmanager
    async def open(cls, installation: Installation, carriers: Carriers, folder: Path) -> AsyncIterator["World"]:
        """Give a world with one clinic and nobody in it."""
        producer = AIOKafkaProducer(bootstrap_servers=installation.bootstrap)
        await producer.start()
        admin = await asyncpg.connect(installation.admin_url, server_settings={"search_path": "booking"})
        world = cls(installation, carriers, folder, producer, admin, await installation.pool("notifier"))
        await world.clinic(CLINIC)
        try:
            async with world._running:
                yield world
        finally:
            carriers.release()
            await world.http.aclose()
            await producer.stop()
            await admin.close()

    @property
    def now(self) -> datetime:
        """Domain time."""
        return clock.SteppedClock(self.clock_file).now()

    def step(self, by: timedelta) -> None:
        """Let domain time pass."""
        clock.step(self.clock_file, self.now + by)

    # what booking holds

    async def clinic(self, code: str, *, sensitive: bool = False) -> None:
        """Enter a clinic."""
        await self._admin.execute(
            "INSERT INTO clinic VALUES ($1, 1, $2, 'Europe/London', 'GB', '{en}', $3, '07:00', '21:00', $4)",
            code, f"Clinic {code}", sensitive, MONDAY,
        )  # fmt: skip

    async def patient(self, *, registered: bool = True, **fields: Any) -> UUID:
        """Enter a patient with a mobile and an email of his own."""
        serial, patient_id = next(_SERIAL), uuid4()
        held = {
            "version": int(registered), "main_file": f"FILE-2027-{serial:06d}" if registered else None,
            "given_name": "Ada", "family_name": "Abara", "language": "en", "mobile": f"+44207183{serial:04d}",
            "email": f"ada{serial}@example.org", "consent": True, "do_not_contact": False, "deceased": False, **fields,
        }  # fmt: skip
        columns, places = ", ".join(held), ", ".join(f"${n}" for n in range(2, len(held) + 2))
        await self._admin.execute(
            f"INSERT INTO patient (patient_id, {columns}) VALUES ($1, {places})",  # noqa: S608  # the test's own names
            patient_id, *held.values(),
        )  # fmt: skip
        return patient_id

    async def address(self, patient_id: UUID, column: str) -> str:
        """Return a patient's `mobile` or `email`."""
        value = await self._admin.fetchval(f"SELECT {column} FROM patient WHERE patient_id = $1", patient_id)  # noqa: S608
        return str(value)

    async def provider(self) -> UUID:
        """Enter a provider."""
        provider_id = uuid4()
        await self._admin.execute(
            "INSERT INTO provider VALUES ($1, 1, 'test', $2, 'Dr Who')", provider_id, str(provider_id)
        )
        return provider_id

    async def hold(self, visit: Appointment) -> None:
        """Commit a version in booking, as its door would, without publishing it."""
        await self._admin.execute(
            """
            INSERT INTO appointment (appointment_id, source, version, status, event_time, ingest_time, confirmed, mode,
                patient_id, clinic_id, provider_id, service_type, starts_at, ends_at, schedule_gen, schedule_set_at)
            VALUES ($1, 'test', $2, $3, $4, $4, false, $5, $6, $7, $8, $9, $10, $11, $12, $4)
            ON CONFLICT (appointment_id) DO UPDATE SET version = excluded.version, status = excluded.status,
                starts_at = excluded.starts_at, ends_at = excluded.ends_at, schedule_gen = excluded.schedule_gen,
                provider_id = excluded.provider_id""",
            visit.appointment_id, visit.version, visit.status.value, visit.event_time, visit.mode.value,
            visit.patient_id, visit.clinic_id, visit.provider_id, visit.service_type, visit.starts_at, visit.ends_at,
            visit.schedule_gen,
        )  # fmt: skip

    # what the topics carry

    def visit(self, patient: UUID, provider: UUID | None = None, **fields: Any) -> Appointment:
        """Return the first version of a booked visit in two days."""
        starts = fields.pop("starts_at", MONDAY + timedelta(days=2))
        return Appointment(
            appointment_id=uuid4(), version=1, status=fields.pop("status", Status.BOOKED), patient_id=patient,
            mode=fields.pop("mode", Mode.LIVE), clinic_id=fields.pop("clinic", CLINIC), provider_id=provider,
            service_type="Physiotherapy", starts_at=starts, ends_at=starts + timedelta(minutes=30),
            zone="Europe/London", schedule_gen=1, schedule_set_at=MONDAY, policy=_POLICY, event_time=MONDAY,
            ingest_time=MONDAY, source="test", **fields,
        )  # fmt: skip

    async def publish(self, *visits: Appointment) -> None:
        """Write versions to `appointments`, in order."""
        for visit in visits:
            key = str(visit.appointment_id)
            event_id = str(wire.event_id(visit.appointment_id, visit.version))
            await self.write(APPOINTMENTS, key, event_id, APPOINTMENT_CHANGED, wire.encode(visit))

    async def book(self, patient: UUID, provider: UUID | None = None, **fields: Any) -> Appointment:
        """Commit and publish a booking."""
        visit = self.visit(patient, provider, **fields)
        await self.hold(visit)
        await self.publish(visit)
        return visit

    async def change(self, visit: Appointment, **fields: Any) -> Appointment:
        """Commit and publish the next version of a visit."""
        after = visit.model_copy(update={"version": visit.version + 1, **fields})
        await self.hold(after)
        await self.publish(after)
        return after

    async def due(self, visit: Appointment, rule: str = "24h", **fields: Any) -> ReminderDue:
        """Hand a reminder of this visit over."""
        reminder_id = wire.reminder_id(visit.appointment_id, visit.schedule_gen, rule)
        due = ReminderDue(
            reminder_id=reminder_id, appointment_id=visit.appointment_id, version=visit.version,
            schedule_gen=visit.schedule_gen, rule=rule, due=self.now,
            not_after=fields.get("not_after", MONDAY + timedelta(days=1, hours=18)), caused_by="planned",
        )  # fmt: skip
        await self.hand_over(due)
        return due

    async def hand_over(self, due: ReminderDue) -> None:
        """Write one `reminder.due`; again is a repeat."""
        await self.write(REMINDERS, str(due.appointment_id), f"due-{due.reminder_id}", REMINDER_DUE, wire.encode(due))

    async def write(self, topic: Topic, key: str, event_id: str, kind: str, value: bytes) -> None:
        """Write one record."""
        headers = list(Envelope(event_id, kind, "test", key, MONDAY).headers())
        await self._producer.send_and_wait(
            self._installation.topic_prefix + topic.name, value, key.encode(), headers=headers
        )

    async def outcomes(self) -> list[NotificationChanged]:
        """Return everything published on `notifications`, each partition in order."""
        name = self._installation.topic_prefix + NOTIFICATIONS.name
        places = [TopicPartition(name, number) for number in range(NOTIFICATIONS.partitions)]
        consumer = AIOKafkaConsumer(bootstrap_servers=self._installation.bootstrap, auto_offset_reset="earliest")
        consumer.assign(places)
        await consumer.start()
        try:
            ends, found = await consumer.end_offsets(places), list[NotificationChanged]()
            while len(found) < sum(ends.values()):
                for records in (await consumer.getmany(timeout_ms=300)).values():
                    found += [wire.decode(NotificationChanged, record.value) for record in records]
            return found
        finally:
            await consumer.stop()

    # what runs

    @property
    def given(self) -> dict[str, str]:
        """The notifier's settings as environment variables."""
        carrier = f"http://127.0.0.1:{self.carriers.http_port}"
        return {
            **self._installation.env,
            "ATTEND_CLOCK_FILE": str(self.clock_file),
            "ATTEND_OPERATOR_KEY_SHA256": hashlib.sha256(KEY.encode()).hexdigest(),
            "NOTIFIER_HTTP_PORT": str(self.port),
            "NOTIFIER_SENDING_MODE": "live",
            "NOTIFIER_CARRIER_TIMEOUT_S": "30",
            "NOTIFIER_LEASE_S": "60",
            "NOTIFIER_SMTP_PORT": str(self.carriers.smtp_port),
            "NOTIFIER_TWILIO_BASE_URL": carrier,
            "NOTIFIER_META_BASE_URL": carrier,
            "NOTIFIER_META_ACCESS_TOKEN": "any",
            "NOTIFIER_CALLBACK_BASE_URL": "http://127.0.0.1",
        }

    def settings(self, **changes: Any) -> Settings:
        """Return the settings of an instance in this process."""
        own = {name.removeprefix("NOTIFIER_").lower(): value for name, value in self.given.items()
               if name.startswith("NOTIFIER_")}  # fmt: skip
        shared = {
            "kafka_bootstrap_servers": self._installation.bootstrap,
            "topic_prefix": self._installation.topic_prefix,
            "clock_file": self.clock_file,
            "operator_key_sha256": self.given["ATTEND_OPERATOR_KEY_SHA256"],
        }
        return Settings.model_validate({**own, **shared, **changes})

    async def start(self, *, fanout: bool = True, lanes: tuple[Channel, ...] = LANES, **changes: Any) -> Service:
        """Run an instance until the end of the test."""
        stop = asyncio.Event()
        changes.setdefault("http_port", self.port if fanout else free_port())
        service = await self._running.enter_async_context(
            build(self.settings(**changes), stop, fanout=fanout, lanes=lanes)
        )
        task = asyncio.create_task(service.run(stop))

        async def end() -> None:
            self.carriers.release()
            stop.set()
            await task

        self._running.push_async_callback(end)
        if fanout:
            await until(self._answers)
        return service

    async def _answers(self) -> bool:
        try:
            return (await self.ask("GET", "/health/ready")).is_success
        except httpx2.ConnectError:
            return False

    async def process(self, *arguments: str, **changes: str) -> "asyncio.subprocess.Process":
        """Run `python -m notifier …` as a process of its own, ended with the test; `changes` are its environment's."""
        environment = {**os.environ, **self.given, "NOTIFIER_HTTP_PORT": str(free_port()), **changes}
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "notifier", *arguments, env=environment)

        async def end() -> None:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
                await process.wait()

        self._running.push_async_callback(end)
        return process

    # what came of it

    async def row(self, visit: Appointment, kind: str) -> asyncpg.Record | None:
        """Return the newest ledger row of this kind about the visit."""
        return await self.pool.fetchrow(
            "SELECT * FROM notification WHERE appointment_id = $1 AND kind = $2 ORDER BY created_at DESC LIMIT 1",
            visit.appointment_id, kind,
        )  # fmt: skip

    async def settled(self, visit: Appointment, kind: str, *states: str) -> asyncpg.Record:
        """Wait until the row of this kind is in one of these states, and return it."""

        async def there() -> bool:
            row = await self.row(visit, kind)
            return row is not None and row["state"] in states

        await until(there)
        row = await self.row(visit, kind)
        assert row is not None
        return row

    async def tried(self, visit: Appointment, kind: str, times: int) -> None:
        """Wait until this message was refused `times` times at least and waits for its next attempt."""

        async def refused() -> bool:
            row = await self.row(visit, kind)
            return row is not None and row["state"] == "queued" and row["attempts"] >= times

        await until(refused)

    async def tried_or_accepted(self, visit: Appointment, times: int) -> None:
        """Wait until this reminder was tried `times` times at least, whatever became of it."""

        async def so_far() -> bool:
            row = await self.row(visit, "reminder")
            return row is not None and row["state"] != "sending" and row["attempts"] >= times

        await until(so_far)

    async def let_leases_run_out(self) -> None:
        """Do what time does: end the lease of everything in `sending`."""
        await self._admin.execute(
            "UPDATE notifier.notification SET lease_until = clock_timestamp() - interval '1 s' WHERE state = 'sending'"
        )

    async def ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Call the API."""
        return await self.http.request(method, f"http://127.0.0.1:{self.port}{path}", **options)
