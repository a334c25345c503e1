"""The real records service on a waiting topic: events a second until all is durable and published."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import batched
from typing import Any

from aiokafka import ConsumerRecord
from pydantic import SecretStr

from bench.delivery.limits import BATCH, Rate, Stopwatch
from bench.delivery.load import Load, Record
from bench.delivery.servers import Place
from bench.harness import Cpu, until
from chassis.delivery.consumer import Subscription
from chassis.postgres.database import Pool, create_pool
from chassis.process.clock import RealClock
from chassis.process.lifecycle import calm_collector
from chassis.process.metrics import Metrics
from records.adapters import decoders
from records.domain import Pair, SubFile
from records.handle import on_appointments
from records.settings import Settings
from records.wiring import SERVICE, build, subscriptions
from schemas.topics import APPOINTMENTS, PATIENTS, PROVIDERS, Topic
from stack.ports import free_port

LOOK_EVERY_S = 0.02
LONGEST_RUN_S = 180
"""A run that takes longer is broken, not slow."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the service over the whole topic.

    Attributes:
        rate: Events a second, and all CPU of the service's process for each.
        stages_us: CPU for each event by stage, as the service's metrics tell.
        postgres_us: CPU of the database server for each event; 0 if it is not ours.
        kafka_us: CPU of the broker for each event; 0 if it is not ours.
        sub_files: How many were opened and published.
    """

    rate: Rate
    stages_us: dict[str, float]
    postgres_us: float
    kafka_us: float
    sub_files: int


async def run_records(place: Place, load: Load) -> Run:
    """Let the service take everything that waits in `appointments`, in a database that knows the people."""
    settings = Settings(
        rebuild=True,  # each round fills a new database from the topics of all
        database_url=SecretStr(place.url(SERVICE)),
        kafka_bootstrap_servers=place.bootstrap,
        topic_prefix=place.prefix,
        http_port=free_port(),
        operations_port=free_port(),
        log_level="warning",
    )
    watch = Stopwatch()
    await _register(settings, load)

    def listen(given: Settings) -> tuple[Subscription[Any], ...]:
        return _timed(subscriptions(given), watch)

    calm_collector()
    async with build(settings, listen) as service:
        stop, before = asyncio.Event(), Cpu.now()
        running = asyncio.create_task(service.run(stop))
        try:
            await _all_durable(service.pool, settings.topic_name(APPOINTMENTS), load.events, running)
            rate, after = watch.rate(load.events), Cpu.now()
            files = await service.pool.fetchval("SELECT count(*) FROM sub_file")
        finally:
            stop.set()
            await running
    per_event = 1e6 / load.events
    return Run(
        rate,
        _stages(service.metrics, per_event),
        after.since(before, "postgres") * per_event,
        after.since(before, "java") * per_event,
        files,
    )


async def decide_only(records: Sequence[ConsumerRecord], load: Load) -> float:
    """Return CPU microseconds an event of the story on canned answers: what deciding alone takes, best of three."""
    return min([await _decide(records, load) for _ in range(3)])


async def _decide(records: Sequence[ConsumerRecord], load: Load) -> float:
    store = _Canned({str(patient): f"FILE-2026-{n:06d}" for n, patient in enumerate(load.patients, 1)}, load.providers)
    now, spent = RealClock().now(), 0.0
    for part in batched(records, BATCH):
        events = [decoders.appointment(record) for record in part]
        begun = time.thread_time()
        await on_appointments(store, events, now)
        spent += time.thread_time() - begun
    return spent / len(records) * 1e6


def _timed(listened: Sequence[Subscription[Any]], watch: Stopwatch) -> tuple[Subscription[Any], ...]:
    """Return the subscriptions with a clock that starts at the first event."""

    def timed(subscription: Subscription[Any]) -> Subscription[Any]:
        def decode(record: ConsumerRecord) -> object:
            watch.start()
            return subscription.decode(record)

        return replace(subscription, decode=decode)

    return tuple(timed(item) if item.topic is APPOINTMENTS else item for item in listened)


def _stages(metrics: Metrics, per_event: float) -> dict[str, float]:
    """Return CPU microseconds an event by the service's own count of its stages."""
    samples = [sample for family in metrics.stage_cpu_seconds.collect() for sample in family.samples]
    return {s.labels["stage"]: s.value * per_event for s in samples if s.name.endswith("_total")}


async def _register(settings: Settings, load: Load) -> None:
    """Make the people known, through the service's own stories."""
    stories = {item.topic.name: item for item in subscriptions(settings)}
    pool = await create_pool(settings.database_url.get_secret_value(), SERVICE)
    try:
        async with pool.acquire() as connection, connection.transaction():
            for topic, records in ((PATIENTS, load.registrations()), (PROVIDERS, load.staff())):
                for part in batched(records, BATCH):
                    events = [stories[topic.name].decode(_as_read(topic, record)) for record in part]
                    await stories[topic.name].apply(connection, events)
    finally:
        await pool.close()


def _as_read(topic: Topic, record: Record) -> ConsumerRecord:
    return ConsumerRecord(
        topic=topic.name,
        partition=0,
        offset=0,
        timestamp=0,
        timestamp_type=0,
        key=record.key,
        value=record.value,
        checksum=None,
        serialized_key_size=len(record.key),
        serialized_value_size=len(record.value),
        headers=record.headers,
    )


async def _all_durable(pool: Pool, topic: str, events: int, running: asyncio.Task[None]) -> None:
    """Return when every event is behind the committed offsets and the outbox is empty."""

    async def done() -> bool:
        return running.done() or bool(
            await pool.fetchval(
                "SELECT coalesce(sum(next_offset), 0) >= $2 AND NOT EXISTS (SELECT FROM outbox)"
                " FROM consumer_offset WHERE topic = $1",
                topic,
                events,
            )
        )

    await until(done, LONGEST_RUN_S, LOOK_EVERY_S)
    if running.done():
        running.result()


class _Canned:
    """`handle.Store` that knows every answer and keeps nothing but which pairs it has seen."""

    def __init__(self, main_files: Mapping[str, str], providers: Sequence[object]) -> None:
        self._main_files, self._seen = main_files, set[Pair]()
        self._providers = {str(provider) for provider in providers}

    async def unsettled(self, pairs: Collection[Pair], *, closed_too: bool) -> Collection[Pair]:
        new = [pair for pair in pairs if pair not in self._seen]
        self._seen.update(new)
        return new

    async def lock_patients(self, patient_ids: Collection[str]) -> Mapping[str, str]:
        return self._main_files

    async def lock_providers(self, provider_ids: Collection[str]) -> Collection[str]:
        return self._providers

    async def sub_files(self, pairs: Collection[Pair]) -> Mapping[Pair, SubFile]:
        return {}

    async def parked(self, patient_ids: Collection[str]) -> Sequence[SubFile]:
        return ()

    async def insert(self, files: Sequence[SubFile], now: datetime) -> None:
        return None

    async def _none_held(self, events: Collection[object]) -> Mapping[str, int]:
        return {}

    async def _nothing(self, files: Collection[object], now: datetime | None = None) -> None:
        return None

    keep_appointments = keep_patients = keep_providers = _none_held
    update = erase_patients = publish = _nothing
    wanting = parked
