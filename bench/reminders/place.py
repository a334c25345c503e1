"""A real broker of the benchmark's own, empty installations on it, and their domain clock."""

import json
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from aiokafka.admin import AIOKafkaAdminClient

from bench.reminders.segments import Topic
from chassis.kafka import topics as broker_topics
from chassis.process import clock
from schemas import topics
from stack.kafka import Kafka

USED = tuple(topic for topic in topics.ALL if topic is topics.APPOINTMENTS or topic.owner == "reminders")
PARTITIONS = topics.PARTITIONS


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker.

    Attributes:
        bootstrap: Its address.
        data: The folder of its log.
        pid: Of its process.
    """

    bootstrap: str
    data: Path
    pid: int

    def cpu_s(self) -> float:
        """Return the CPU seconds of its process so far, user and system."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def follow(self, name: str) -> Topic:
        """Follow a topic in the log."""
        return Topic(self.data, name, PARTITIONS)


@contextmanager
def broker() -> Iterator[Broker]:
    """Start Apache Kafka in a temporary folder for the block."""
    with tempfile.TemporaryDirectory(prefix="attend-bench-", ignore_cleanup_errors=True) as folder:
        kafka = Kafka(Path(folder) / "kafka")
        try:
            kafka.start()
            assert kafka.process is not None
            yield Broker(kafka.bootstrap, kafka.folder / "data", kafka.process.pid)
        finally:
            kafka.stop()


class Place:
    """One empty installation: its topics, a folder for logs and its domain clock.

    Attributes:
        broker: Where its topics are.
        prefix: In front of every name.
        folder: For logs; gone afterwards.
        clock_file: Steps the domain clock of its workers.
    """

    def __init__(self, on: Broker, prefix: str, folder: Path) -> None:
        self.broker = on
        self.prefix = prefix
        self.folder = folder
        self.clock_file = folder / "clock.json"
        self._offset_s = 0.0

    def topic(self, topic: topics.Topic) -> str:
        """Return the topic's name here."""
        return self.prefix + topic.name

    def follow(self, topic: topics.Topic) -> Topic:
        """Follow a topic in the broker's log."""
        return self.broker.follow(self.topic(topic))

    def step(self, to: datetime) -> None:
        """Set domain time."""
        clock.step(self.clock_file, to)
        self._offset_s = float(json.loads(self.clock_file.read_text("utf-8"))["offset_s"])

    def machine_s(self, instant: datetime) -> float:
        """Return when a domain instant is by the machine's (and the broker's) clock, in seconds since 1970."""
        return instant.timestamp() - self._offset_s

    def env(self, port: int, slot: str) -> dict[str, str]:
        """Return what a worker here needs in its environment."""
        return {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap,
            "ATTEND_TOPIC_PREFIX": self.prefix,
            "ATTEND_CLOCK_FILE": str(self.clock_file),
            "ATTEND_LOG_LEVEL": "info",
            "ATTEND_LOG_FORMAT": "json",
            "REMINDERS_OPERATIONS_PORT": str(port),
            "REMINDERS_DATABASE_URL": "postgresql://none@127.0.0.1:1/none",  # the worker has no database
            "REMINDERS_SLOT": slot,
        }


@asynccontextmanager
async def place(on: Broker) -> AsyncIterator[Place]:
    """Make an empty installation."""
    prefix = f"b{uuid.uuid4().hex[:6]}."
    await broker_topics.apply(on.bootstrap, USED, prefix)
    with tempfile.TemporaryDirectory(prefix="attend-bench-", ignore_cleanup_errors=True) as folder:
        try:
            yield Place(on, prefix, Path(folder))
        finally:
            await _remove(on.bootstrap, prefix)


async def _remove(bootstrap: str, prefix: str) -> None:
    """Delete the topics: what earlier rounds wrote is not to weigh on later ones."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([prefix + topic.name for topic in USED])
    finally:
        await admin.close()


def wall_s() -> float:
    """Return the machine's time in seconds since 1970, as the broker has it."""
    return clock.RealClock().now().astimezone(UTC).timestamp()
