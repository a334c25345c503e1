"""What each test of the delivery core starts with: a topic, a schema, and a consumer to run on them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer, TopicPartition
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from chassis.delivery.consumer import BatchConsumer, Subscription
from chassis.postgres.database import Pool
from chassis.process.clock import RealClock
from chassis.process.metrics import Metrics
from chassis.process.settings import ServiceSettings
from tests.integration.chassis.ledger.apply import ORDERS, SUBSCRIPTION
from tests.support import raw_batches

SERVICE = "records"
"""The made-up service lends this one's schema and role."""


class Settings(ServiceSettings):
    """Settings of the made-up service."""

    model_config = SettingsConfigDict(env_prefix="LEDGER_")

    http_port: int = 0
    operations_port: int = 0


@dataclass
class LedgerService:
    """One test's broker, topics, database and service."""

    bootstrap: str
    prefix: str
    url: str
    pool: Pool
    topic: str = field(init=False)

    def __post_init__(self) -> None:
        self.topic = self.prefix + ORDERS.name

    @property
    def settings(self) -> Settings:
        return Settings(
            database_url=SecretStr(self.url), kafka_bootstrap_servers=self.bootstrap, topic_prefix=self.prefix
        )

    def consumer(
        self,
        subscription: Subscription[Any] = SUBSCRIPTION,
        pool: Pool | None = None,
        settings: ServiceSettings | None = None,
        **more: Any,
    ) -> BatchConsumer:
        return BatchConsumer(
            "ledger",
            settings or self.settings,
            pool or self.pool,
            [subscription],
            RealClock(),
            Metrics(SERVICE),
            **more,
        )

    async def produce(self, orders: Iterable[dict[str, Any] | bytes], partition: int = 0) -> None:
        """Append these orders to one partition, in one batch."""
        async with producer(self.bootstrap) as sender:
            batch = sender.create_batch()
            for order in orders:
                value = order if isinstance(order, bytes) else orjson.dumps(order)
                assert batch.append(key=b"k", value=value, timestamp=None) is not None
            await (await sender.send_batch(batch, self.topic, partition=partition))

    async def append(self, raw: bytes, partition: int = 0) -> None:
        """Append a batch to one partition as it is."""
        await raw_batches.append_raw(self.bootstrap, self.topic, raw, partition)

    async def positions(self) -> dict[int, int]:
        """Return partition → next offset as PostgreSQL has it."""
        rows = await self.pool.fetch("SELECT partition, next_offset FROM consumer_offset WHERE topic = $1", self.topic)
        return {row["partition"]: row["next_offset"] for row in rows}

    async def effects(self) -> list[tuple[int, int]]:
        """Return (partition, offset) of every effect, sorted; one that happened twice is there twice."""
        rows = await self.pool.fetch('SELECT partition, "offset" FROM effect ORDER BY 1, 2')
        return [(row[0], row[1]) for row in rows]

    async def consumed(self, *ends: int) -> bool:
        """Say whether the partitions' positions have reached these offsets."""
        found = await self.positions()
        return all(found.get(partition, 0) >= end for partition, end in enumerate(ends))

    async def dead(self) -> list[tuple[int, str]]:
        """Return (offset, code) of the dead letters, in order."""
        rows = await self.pool.fetch('SELECT "offset", code FROM dead_letter ORDER BY partition, "offset"')
        return [(row[0], row[1]) for row in rows]


def orders(count: int, first: int = 0, **more: Any) -> list[dict[str, Any]]:
    """Return orders for so many entities, each in version 1."""
    return [{"entity": f"e{number:05}", "version": 1, **more} for number in range(first, first + count)]


@asynccontextmanager
async def producer(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    sender = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=1 << 20)
    await sender.start()
    try:
        yield sender
    finally:
        await sender.stop()


@asynccontextmanager
async def running(*consumers: BatchConsumer) -> AsyncIterator[Sequence[asyncio.Task[None]]]:
    """Run the consumers while the block runs; a failure of theirs is the test's."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(consumer.run(stop)) for consumer in consumers]
    try:
        yield tasks
    finally:
        stop.set()
        done, late = await asyncio.wait(tasks, timeout=60)
        for task in late:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    assert not late, "a consumer did not end in 60 s"
    for task in done:
        task.result()


def partition(ledger: LedgerService, number: int) -> TopicPartition:
    return TopicPartition(ledger.topic, number)
