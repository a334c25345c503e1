"""Instances of records in the test's own loop, on real topics and a real database."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from pydantic import SecretStr

from chassis.postgres.database import Pool
from records.settings import Settings
from records.wiring import Service, build
from schemas import wire
from schemas.appointments import APPOINTMENT_CHANGED, Appointment, ReminderPolicy, SendWindow, Status
from schemas.envelope import Envelope
from schemas.model import Contract
from schemas.people import PATIENT_CHANGED, PROVIDER_CHANGED, Patient, Provider
from schemas.subfiles import SubFile
from schemas.topics import APPOINTMENTS, PATIENTS, PROVIDERS, SUBFILES, Topic
from stack.ports import free_port
from tests.support.installation import Installation
from tests.support.records.builders import id_of
from tests.support.topics import read_topic
from tests.support.waiting import until

KEY = "the operator's key"
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
_POLICY = ReminderPolicy(policy_id="none", rules=(), window=SendWindow(opens=time(7), closes=time(21)))


def appointment(
    visit: str = "visit",
    version: int = 1,
    status: Status = Status.BOOKED,
    *,
    patient: str = "ann",
    clinic: str = "EYE",
    provider: str | None = "dr who",
) -> Appointment:
    """Build an event of `appointments`."""
    return Appointment(
        appointment_id=UUID(id_of(visit)),
        version=version,
        status=status,
        patient_id=UUID(id_of(patient)),
        clinic_id=clinic,
        provider_id=UUID(id_of(provider)) if provider else None,
        starts_at=NOW + timedelta(days=3),
        zone="Europe/London",
        schedule_gen=1,
        schedule_set_at=NOW,
        first_booked_at=NOW,
        policy=_POLICY,
        event_time=NOW,
        ingest_time=NOW,
        source="test",
    )


def patient(name: str = "ann", version: int = 1, main_file: str = "FILE-2026-000007") -> Patient:
    """Build a snapshot of `patients`."""
    return Patient(patient_id=UUID(id_of(name)), version=version, main_file=main_file, given_name="Ann")


def provider(name: str = "dr who", version: int = 1) -> Provider:
    """Build a snapshot of `providers`."""
    return Provider(provider_id=UUID(id_of(name)), version=version, name="Dr Who")


class Running:
    """What a test does with records: write to its topics, start instances, look at what came of it."""

    def __init__(self, installation: Installation, key_sha256: str, producer: AIOKafkaProducer, pool: Pool) -> None:
        self.installation = installation
        self.pool = pool
        self._key_sha256 = key_sha256
        self._producer = producer
        self._stack = AsyncExitStack()

    @classmethod
    @asynccontextmanager
    async def on(cls, installation: Installation, key_sha256: str) -> AsyncIterator["Running"]:
        """Give one for the block."""
        producer = AIOKafkaProducer(bootstrap_servers=installation.bootstrap)
        await producer.start()
        running = cls(installation, key_sha256, producer, await installation.pool("records"))
        try:
            async with running._stack:
                yield running
        finally:
            await producer.stop()

    def settings(self, **given: object) -> Settings:
        """Return the settings of an instance here."""
        return Settings.model_validate(
            {
                "database_url": SecretStr(self.installation.service_url("records")),
                "kafka_bootstrap_servers": self.installation.bootstrap,
                "topic_prefix": self.installation.topic_prefix,
                "operator_key_sha256": SecretStr(self._key_sha256),
                "http_port": free_port(),
                "operations_port": free_port(),
                **given,
            }
        )

    async def start(self, **given: object) -> Service:
        """Start an instance; it is stopped at the end of the test."""
        service, stop = await self._stack.enter_async_context(build(self.settings(**given))), asyncio.Event()
        task = asyncio.create_task(service.run(stop))

        async def end() -> None:
            stop.set()
            await task

        self._stack.push_async_callback(end)
        return service

    async def stop(self) -> None:
        """Stop every instance."""
        await self._stack.aclose()
        self._stack = AsyncExitStack()

    async def write(self, *events: Appointment | Patient | Provider, partition: int | None = None) -> None:
        """Write events in order, under their keys; a partition given stands in for the key's."""
        sent = [await self._send(*_record(event), partition) for event in events]
        await asyncio.gather(*sent)

    async def write_bytes(
        self, topic: Topic, key: str, value: bytes | None, kind: str, partition: int | None = None
    ) -> None:
        """Write one record as it is."""
        await (await self._send(topic, key, value, kind, partition))

    async def _send(
        self, topic: Topic, key: str, value: bytes | None, kind: str, partition: int | None
    ) -> asyncio.Future[object]:
        envelope = Envelope(f"event of {key}", kind, "attend/booking", key, NOW)
        name, headers = self.installation.topic_prefix + topic.name, list(envelope.headers())
        sent: asyncio.Future[object] = await self._producer.send(name, value, key.encode(), partition, headers=headers)
        return sent

    async def done(self, *topics: Topic) -> None:
        """Wait until everything written so far is committed and published."""
        ends = await self._ends(topics or (APPOINTMENTS, PATIENTS, PROVIDERS))

        async def committed() -> bool:
            rows = await self.pool.fetch("SELECT topic, partition, next_offset FROM consumer_offset")
            held = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
            behind = any(held.get((place.topic, place.partition), 0) < end for place, end in ends.items())
            return not behind and not await self.pool.fetchval("SELECT count(*) FROM outbox")

        await until(committed)

    async def files(self) -> dict[str, str | None]:
        """Return number → provider of all numbered sub-files."""
        rows = await self.pool.fetch("SELECT number, provider_id::text FROM sub_file WHERE number IS NOT NULL")
        return {row["number"]: row["provider_id"] for row in rows}

    async def published(self) -> list[SubFile]:
        """Return everything in `subfiles`, each partition in order."""
        name = self.installation.topic_prefix + SUBFILES.name
        log = await read_topic(self.installation.bootstrap, name, SUBFILES.partitions)
        return [wire.decode(SubFile, record.value or b"") for record in log]

    async def _ends(self, topics: Sequence[Topic]) -> dict[TopicPartition, int]:
        names = {self.installation.topic_prefix + topic.name: topic.partitions for topic in topics}
        places = [TopicPartition(name, number) for name, count in names.items() for number in range(count)]
        consumer = AIOKafkaConsumer(bootstrap_servers=self.installation.bootstrap)
        await consumer.start()
        try:
            return {place: end for place, end in (await consumer.end_offsets(places)).items() if end}
        finally:
            await consumer.stop()


def _record(event: Contract) -> tuple[Topic, str, bytes, str]:
    if isinstance(event, Appointment):
        return APPOINTMENTS, str(event.appointment_id), wire.encode(event), APPOINTMENT_CHANGED
    if isinstance(event, Patient):
        return PATIENTS, str(event.patient_id), wire.encode(event), PATIENT_CHANGED
    assert isinstance(event, Provider)
    return PROVIDERS, str(event.provider_id), wire.encode(event), PROVIDER_CHANGED
