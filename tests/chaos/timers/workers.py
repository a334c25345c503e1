"""Workers of reminders on a broker that a test may break, with their topics and a stepped clock."""

import asyncio
import signal
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from aiokafka import AIOKafkaProducer

from chassis.kafka import topics
from schemas.topics import APPOINTMENTS, REMINDERS, REMINDERS_REPLAYS, TIMERS_CHANGELOG, Topic
from stack.kafka import Kafka
from stack.spawn import Spawn, own_interpreter
from tests.support.installation import Installation
from tests.support.plain_http import plain_client
from tests.support.reminders.builders import NOW
from tests.support.reminders.changelog import read_committed_offsets
from tests.support.reminders.running import Process, RunningReminders
from tests.support.topics import Log, read_topic
from tests.support.waiting import until

TOPICS = (APPOINTMENTS, REMINDERS_REPLAYS, REMINDERS, TIMERS_CHANGELOG)
NO_DATABASE = "postgresql://nobody:nothing@127.0.0.1:1/none"
"""The worker needs none."""


@dataclass
class TimerWorkers(RunningReminders):
    """Workers of reminders only, on a broker of their own."""

    kafka: Kafka | None = None

    @property
    def broker(self) -> Kafka:
        assert self.kafka is not None
        return self.kafka

    def name(self, topic: Topic) -> str:
        """Return a topic's name under the prefix of these workers."""
        return self.installation.topic_prefix + topic.name

    def worker(self, slot: str | None = None, **env: str) -> Process:
        """Start a worker, with static membership if it has a slot."""
        return self.start("worker", **({"REMINDERS_SLOT": slot} if slot else {}), **env)

    async def log(self, topic: Topic, isolation_level: str = "read_committed") -> Log:
        """Return what a topic holds now."""
        return await read_topic(self.installation.bootstrap, self.name(topic), topic.partitions, isolation_level)

    async def taken(self) -> dict[int, int]:
        """Return partition → committed offset of the workers' group."""
        group = self.installation.topic_prefix + "reminders-worker"
        return await read_committed_offsets(
            self.installation.bootstrap, group, self.name(APPOINTMENTS), APPOINTMENTS.partitions
        )

    async def rows_live(self, process: Process) -> int:
        """Return how many rows a worker says it has."""
        return int((await self.get(process, "/status")).json()["rows"])

    async def partitions_live(self, process: Process) -> list[int]:
        """Return the numbers of the partitions that a worker says it fires."""
        told = (await self.get(process, "/status")).json()["partitions"]
        return [int(number) for number in told.split(", ") if number]

    async def settled(self, *processes: Process) -> None:
        """Wait until every partition is live in exactly one of these workers, and they have nothing to do."""
        await self.ready(*processes)

        async def shared_and_idle() -> bool:
            owned = [n for process in processes for n in await self.partitions_live(process)]
            if sorted(owned) != list(range(APPOINTMENTS.partitions)):
                return False
            return all([(await self.get(process, "/clock")).json()["idle"] for process in processes])

        await until(shared_and_idle, "all partitions live and idle")

    async def until_settled(self, slot: str | None = None) -> int:
        """Do as a supervisor does until a worker is settled; return how many ended by themselves meanwhile.

        Looks at the newest worker. One that ends is started again.
        """
        ends = 0

        async def settled() -> bool:
            nonlocal ends
            newest = self.processes[-1]
            if not newest.lives:
                ends += 1
                self.worker(slot)
                return False
            try:
                return bool((await self.get(newest, "/clock")).json()["idle"])
            except httpx2.TransportError:
                return False

        await until(settled, "a worker settled")
        return ends


def freeze(process: Process) -> None:
    """Freeze a worker as a suspended machine does."""
    process.send(signal.SIGSTOP)


def thaw(process: Process) -> None:
    """Let a frozen worker go on."""
    process.send(signal.SIGCONT)


async def ended(process: Process, within_s: float = 60) -> int | None:
    """Wait for a worker's end; return its exit code, or None if it lives on."""
    return await asyncio.to_thread(process.ended, within_s)


@asynccontextmanager
async def opened(
    kafka: Kafka, folder: Path, made: Sequence[Topic] = TOPICS, spawn: Spawn = own_interpreter
) -> AsyncIterator[TimerWorkers]:
    """Make the worker's topics, or others, under a new prefix; end every worker with the block."""
    prefix = f"c{uuid.uuid4().hex[:8]}."
    await topics.apply(kafka.bootstrap, made, prefix)
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, linger_ms=5, enable_idempotence=True, request_timeout_ms=240_000
    )
    await producer.start()
    async with plain_client(timeout=30) as http:
        place = Installation(kafka.bootstrap, NO_DATABASE, prefix)
        timers = TimerWorkers(place, folder, producer, http, spawn, kafka=kafka)
        timers.step(NOW)
        try:
            yield timers
        finally:
            for process in timers.processes:
                if process.lives:
                    process.kill()
            await producer.stop()
