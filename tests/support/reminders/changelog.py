"""What topics hold, read committed and from outside, and what the changelog's rows say."""

import json
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from reminders.planning.domain.schedule import OVER
from reminders.timers.row import NEVER, TimerState, state_of, unpack
from tests.support.topics import broker_known

TERMS = b"terms/"


@dataclass(frozen=True, slots=True)
class Held:
    """What one row says, its terms resolved.

    Attributes:
        next_due: Microseconds since 1970, None if nothing is pending.
        anchor: Start of the visit in the same unit.
        states: Rule → what became of its timer.
    """

    version: int
    generation: int
    next_due: int | None
    anchor: int
    states: dict[str, TimerState]


@asynccontextmanager
async def watching(bootstrap: str, name: str, partitions: int) -> AsyncIterator[AIOKafkaConsumer]:
    """Return a consumer that sees what is written from now on, before it is committed."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_uncommitted", fetch_max_wait_ms=5)
    await consumer.start()
    try:
        places = [TopicPartition(name, number) for number in range(partitions)]
        consumer.assign(places)
        for place, end in (await consumer.end_offsets(places)).items():
            consumer.seek(place, end)
        yield consumer
    finally:
        await consumer.stop()


async def read_committed_offsets(bootstrap: str, group: str, name: str, partitions: int) -> dict[int, int]:
    """Return partition → offset that the group has committed; 0 where it has none."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        await broker_known(consumer)
        return {n: await consumer.committed(TopicPartition(name, n)) or 0 for n in range(partitions)}
    finally:
        await consumer.stop()


class Changelog:
    """The rows in a changelog, and how they came to be."""

    def __init__(self, log: Iterable[ConsumerRecord[bytes, bytes]]) -> None:
        self._terms: dict[tuple[int, int], list[str]] = {}
        self.history: dict[UUID, list[Held | None]] = {}
        for record in log:
            key = record.key or b""
            if key.startswith(TERMS):
                number = struct.unpack_from("<I", key, len(TERMS))[0]
                rules = json.loads(record.value or b"{}").get("rules", [])
                self._terms[record.partition, number] = [rule["slug"] for rule in rules]
            elif len(key) == 16:
                self.history.setdefault(UUID(bytes=key), []).append(self._held(record))

    @property
    def rows(self) -> dict[UUID, Held]:
        """The newest row of each appointment: what compaction leaves and a new owner recovers."""
        return {visit: held[-1] for visit, held in self.history.items() if held[-1] is not None}

    def steps_back(self) -> list[str]:
        """Return every write that undid an earlier one: a lower version, or a timer whose time came pending again."""
        found = []
        for visit, history in self.history.items():
            held = [row for row in history if row is not None]
            for before, after in pairwise(held):
                if after.version < before.version:
                    found.append(f"{visit}: version {after.version} after {before.version}")
                elif after.generation == before.generation:
                    found += [
                        f"{visit}: {rule} {state.name} after {before.states[rule].name}"
                        for rule, state in after.states.items()
                        if before.states.get(rule, state) is not state and before.states[rule] in OVER
                    ]
        return found

    def _held(self, record: "ConsumerRecord[bytes, bytes]") -> Held | None:
        if record.value is None:
            return None
        row = unpack(record.value)
        slugs = self._terms[record.partition, row.terms]
        states = {slug: TimerState(state_of(row.marks, number)) for number, slug in enumerate(slugs)}
        return Held(row.version, row.generation, None if row.next_due == NEVER else row.next_due, row.anchor, states)
