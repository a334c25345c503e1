"""A booking service in the test's own loop, and the words with which tests speak to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import Any

import httpx2
import orjson
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI
from pydantic import SecretStr

from booking.appointments.counts import AnswerCounts
from booking.door import client_keys
from booking.door.domain import Client
from booking.door.transactions import Transactions
from booking.formats.choice import Formats
from booking.settings import Settings
from booking.wiring import FORMATS, build
from booking.wiring import door as door_of
from booking.wiring.service import Service
from chassis.api.description import DescribedApi
from chassis.api.operations import operations_api
from chassis.postgres.database import Pool, create_pool
from chassis.process.clock import Clock, RealClock
from chassis.process.health import Health
from chassis.process.metrics import Metrics
from schemas import wire
from schemas.topics import BOOKINGS_INBOUND, CLEARANCES_INBOUND, Topic
from tests.support.conformance import Conformance
from tests.support.installation import Installation
from tests.support.topics import read_topic

KEY = "the key of the client local, long enough"
OPERATOR_KEY = "the operator's key"

TABLES = (
    *("appointment", "appointment_alias", "appointment_history", "patient", "patient_alias", "provider", "clinic"),
    *("clinic_alias", "ingress", "main_file_counter", "outbox", "safety_change", "patient_merge", "source_restart"),
    *("source_mode_change", "source_profile"),
)
"""Everything that a refused command must leave as it was."""


@dataclass
class Door:
    """The API of one service, as the client `local` and others call it."""

    pool: Pool
    http: httpx2.AsyncClient
    operations: httpx2.AsyncClient
    clock: Clock
    api: FastAPI
    running: Service | None = None
    _serial: "count[int]" = field(default_factory=count)

    @property
    def service(self) -> Service:
        """The whole service, in tests that need Kafka."""
        assert self.running is not None
        return self.running

    async def ask(
        self, method: str, path: str, body: object = None, key: str | None = KEY, **headers: str
    ) -> httpx2.Response:
        """Send a request; bytes go as they are, everything else as JSON."""
        content = body if isinstance(body, bytes) else None if body is None else orjson.dumps(body)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            sent["authorization"] = f"Bearer {key}"
        return await self.http.request(method, path, content=content, headers=sent)

    async def look(self, path: str) -> httpx2.Response:
        """Ask the process how it is."""
        return await self.operations.get(path)

    async def put(self, path: str, body: object) -> dict[str, Any]:
        """Put reference data and return the answer."""
        answer = await self.ask("PUT", path, body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def post(self, body: object) -> dict[str, Any]:
        """Post events that are taken and return the answer."""
        answer = await self.ask("POST", "/v1/events", body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def counts(self) -> dict[str, int]:
        """Return how many rows each table has."""
        return {name: await self.pool.fetchval(f"SELECT count(*) FROM {name}") for name in TABLES}  # noqa: S608

    async def client(self, client: Client) -> str:
        """Make another client and return its key."""
        key = f"key of {client.client_id} number {next(self._serial)}, long enough too"
        await client_keys.create(self.pool, client, key)
        return key


def booking(event_id: str = "e1", appointment: str = "v1", **given: Any) -> dict[str, Any]:
    """Return the body of a complete booking; `given` replaces fields of the appointment."""
    visit = {
        "id": appointment,
        "status": "booked",
        "patient": {"id": "ann"},
        "clinic": "EYE",
        "provider": {"id": "dr-who"},
        "service_type": "Check",
        "start": "2027-03-12T10:00:00+00:00",
        "end": "2027-03-12T10:30:00+00:00",
        **given,
    }
    return {"event_id": event_id, "appointment": visit}


def settings_on(installation: Installation, **given: object) -> Settings:
    """Return the settings of a service there."""
    return Settings.model_validate(
        {
            "database_url": SecretStr(installation.service_url("booking")),
            "kafka_bootstrap_servers": installation.bootstrap,
            "topic_prefix": installation.topic_prefix,
            "operator_key_sha256": SecretStr(sha256(OPERATOR_KEY.encode()).hexdigest()),
            "inbound_clients": {BOOKINGS_INBOUND.name: "local"},
            "clearance_clients": {CLEARANCES_INBOUND.name: "local"},
            **given,
        }
    )


@asynccontextmanager
async def opened(installation: Installation, clock: Clock | None = None, **given: object) -> AsyncIterator[Door]:
    """Give the API alone, on PostgreSQL: nothing leaves the outbox."""
    settings = settings_on(installation, **given)
    clock, metrics = clock or RealClock(), Metrics("booking")
    counts = AnswerCounts(metrics)
    pool = await create_pool(settings.database_url.get_secret_value(), "booking", max_size=8)
    transactions = Transactions(pool, clock, lambda: None, counts.refusals)
    try:
        api = door_of(settings, transactions, counts)
        async with _speaking(api, operations_api(Health("booking", clock), metrics, api), pool, clock) as door:
            yield door
    finally:
        await pool.close()


@asynccontextmanager
async def opened_on_kafka(
    installation: Installation, formats: Formats = FORMATS, **given: object
) -> AsyncIterator[Door]:
    """Give the API of a whole service, whose consumer and relays run while `running` does."""
    async with build(settings_on(installation, **given), formats) as service:
        operations = operations_api(service.health, service.metrics, service.api)
        async with _speaking(service.api, operations, service.pool, RealClock()) as door:
            door.running = service
            yield door


@asynccontextmanager
async def _speaking(api: FastAPI, operations: FastAPI, pool: Pool, clock: Clock) -> AsyncIterator[Door]:
    async with calling(api) as http, calling(operations) as asked:
        door = Door(pool, http, asked, clock, api)
        local = Client("local", ("local",), may_register=True, may_manage_clinics=True, may_clear=True)
        await client_keys.create(pool, local, KEY)
        await door.put("/v1/clinics/EYE", {"name": "Eye Clinic", "zone": "Europe/London", "country": "GB"})
        yield door


def calling(api: FastAPI) -> httpx2.AsyncClient:
    """Return a client of an API in this process; an answer that is not as described fails the test that got it."""
    held = Conformance(api).hooks if isinstance(api, DescribedApi) else None
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=api), base_url="http://booking", event_hooks=held)


@asynccontextmanager
async def running(door: Door) -> AsyncIterator[None]:
    """Run the consumer and the relays while the block runs."""
    stop = asyncio.Event()
    parts = [door.service.consumer.run(stop), *(relay.run(stop) for relay in door.service.relays)]
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def send_inbound(
    installation: Installation,
    *records: tuple[str, bytes],
    topic: Topic = BOOKINGS_INBOUND,
    **headers: str,
) -> None:
    """Write (key, value) records to an inbound topic, each with these headers."""
    producer = AIOKafkaProducer(bootstrap_servers=installation.bootstrap)
    await producer.start()
    try:
        sent = [(name.replace("_", "-"), value.encode()) for name, value in headers.items()]
        for key, value in records:
            await producer.send_and_wait(installation.topic_prefix + topic.name, value, key.encode(), headers=sent)
    finally:
        await producer.stop()


async def published(installation: Installation, topic: Topic) -> list[Any]:
    """Return everything in a topic, decoded as JSON with the record's key, each partition in order."""
    log = await read_topic(installation.bootstrap, installation.topic_prefix + topic.name, topic.partitions)
    return [((record.key or b"").decode(), orjson.loads(record.value or b"null")) for record in log]


PROVIDER = str(wire.provider_id("local", "dr-who"))
