"""A notifier on real parts: booking's tables filled by hand, real topics, real carriers, real processes."""

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
from aiokafka import AIOKafkaProducer

from chassis.postgres.database import Pool
from chassis.process import clock
from notifier.address_keys.peppers import peppers_of
from notifier.settings import Settings
from notifier.values.addresses import Peppers
from notifier.wiring.api import unplugged
from notifier.wiring.service import LANES, Service, build
from schemas import wire
from schemas.appointments import APPOINTMENT_CHANGED, Appointment, IngestMode, ReminderPolicy, SendWindow, Status
from schemas.envelope import Envelope
from schemas.notifications import Channel, NotificationChanged
from schemas.people import PATIENT_CHANGED, Patient
from schemas.reminders import REMINDER_DUE, ReminderDue
from schemas.topics import APPOINTMENTS, NOTIFICATIONS, PATIENTS, REMINDERS, Topic
from stack.ports import free_port
from tests.support.carriers.programs import Carriers
from tests.support.conformance import Conformance
from tests.support.installation import Installation
from tests.support.notifier.bookings_tables import MONDAY, BookingsTables
from tests.support.plain_http import plain_client
from tests.support.topics import read_topic
from tests.support.waiting import until

KEY = "the operator's key"
CLINIC = "NORTH"
_POLICY = ReminderPolicy(policy_id="none", rules=(), window=SendWindow(opens=time(7), closes=time(21)))


class RunningNotifier(BookingsTables):
    """One test's installation, seen by the notifier."""

    def __init__(
        self, installation: Installation, carriers: Carriers, folder: Path, producer: AIOKafkaProducer,
        admin: asyncpg.Connection, pool: Pool,
    ) -> None:  # fmt: skip
        self.carriers, self.pool, self.clock_file = carriers, pool, folder / "clock.json"
        self.port, self.operations_port = free_port(), free_port()
        held = Conformance(unplugged(), self.port).hooks
        self.http = plain_client(headers={"Authorization": f"Bearer {KEY}"}, timeout=60, event_hooks=held)
        super().__init__(admin)
        self._installation, self._producer = installation, producer
        self._running = AsyncExitStack()
        clock.step(self.clock_file, MONDAY)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, installation: Installation, carriers: Carriers, folder: Path
    ) -> AsyncIterator["RunningNotifier"]:
        """Give a notifier with one clinic and nobody in it."""
        producer = AIOKafkaProducer(bootstrap_servers=installation.bootstrap)
        await producer.start()
        admin = await asyncpg.connect(installation.admin_url, server_settings={"search_path": "booking"})
        notifier = cls(installation, carriers, folder, producer, admin, await installation.pool("notifier"))
        await notifier.clinic(CLINIC)
        try:
            async with notifier._running:
                yield notifier
        finally:
            carriers.release()
            await notifier.http.aclose()
            await producer.stop()
            await admin.close()

    @property
    def now(self) -> datetime:
        """Domain time."""
        return clock.SteppedClock(self.clock_file).now()

    def step(self, by: timedelta) -> None:
        """Let domain time pass."""
        clock.step(self.clock_file, self.now + by)

    @property
    def peppers(self) -> Peppers:
        """What makes the keys of addresses here."""
        return peppers_of(self.settings())

    # what the topics carry

    def visit(self, patient: UUID, provider: UUID | None = None, **fields: Any) -> Appointment:
        """Return the first version of a booked visit in two days."""
        starts = fields.pop("starts_at", MONDAY + timedelta(days=2))
        return Appointment(
            appointment_id=uuid4(), version=1, status=fields.pop("status", Status.BOOKED), patient_id=patient,
            mode=fields.pop("mode", IngestMode.LIVE), clinic_id=fields.pop("clinic", CLINIC), provider_id=provider,
            service_type="Physiotherapy", starts_at=starts, ends_at=starts + timedelta(minutes=30),
            zone="Europe/London", schedule_gen=1, schedule_set_at=MONDAY, policy=_POLICY, event_time=MONDAY,
            ingest_time=self.now, source="test", **fields,
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
        after = visit.model_copy(update={"version": visit.version + 1, "ingest_time": self.now, **fields})
        await self.hold(after)
        await self.publish(after)
        return after

    async def register(self, patient: UUID, **fields: Any) -> None:
        """Commit and publish that a patient is registered, with a mobile and an email of his own."""
        held = {"main_file": "FILE-2027-999999", "mobile": "+442071839999", "email": "late@example.org", **fields}
        sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(held, 2))
        await self.execute(
            f"UPDATE patient SET version = version + 1, {sets} WHERE patient_id = $1",  # noqa: S608  # the test's own
            patient, *held.values(),
        )  # fmt: skip
        after = Patient(patient_id=patient, version=1, **held)
        await self.write(PATIENTS, str(patient), str(uuid4()), PATIENT_CHANGED, wire.encode(after))

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
        log = await read_topic(self._installation.bootstrap, name, NOTIFICATIONS.partitions)
        return [wire.decode(NotificationChanged, record.value or b"") for record in log]

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
            "NOTIFIER_OPERATIONS_PORT": str(self.operations_port),
            "NOTIFIER_SENDING_MODE": "live",
            "NOTIFIER_CARRIER_TIMEOUT_S": "30",
            "NOTIFIER_LEASE_S": "60",
            "NOTIFIER_SMTP_PORT": str(self.carriers.smtp_port),
            "NOTIFIER_TWILIO_BASE_URL": carrier,
            "NOTIFIER_META_BASE_URL": carrier,
            "NOTIFIER_META_ACCESS_TOKEN": "any",
            "NOTIFIER_CALLBACK_BASE_URL": "http://127.0.0.1",
            "NOTIFIER_APPOINTMENT_LINK": "https://ehr.example/visits/{appointment_id}",
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
        changes.setdefault("operations_port", self.operations_port if fanout else free_port())
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
            return (await self.look("/health/ready")).is_success
        except httpx2.ConnectError:
            return False

    async def process(self, *arguments: str, **changes: str) -> "asyncio.subprocess.Process":
        """Run `python -m notifier …` as a process of its own, ended with the test; `changes` are its environment's."""
        ports = {"NOTIFIER_HTTP_PORT": str(free_port()), "NOTIFIER_OPERATIONS_PORT": str(free_port())}
        environment = {**os.environ, **self.given, **ports, **changes}
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

    async def look(self, path: str) -> httpx2.Response:
        """Ask the process with the API how it is."""
        return await self.http.get(f"http://127.0.0.1:{self.operations_port}{path}")
