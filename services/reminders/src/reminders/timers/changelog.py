"""Reading the changelog back into partitions, many rows at a time.

Faust reads its changelogs with the group's own consumer, which it pauses, seeks and resumes for it, one
event a row: 10,000 rows a second, and once, after a takeover on a loaded machine, a recovery that never
fetched. Here a consumer of its own, without a group, reads what it is assigned by hand.

Its end is not an offset: with transactions neither the end offset nor the position tells when everything
committed was read (fact 10). The new owner of a partition commits a sentinel record to it; when that is
read, so is all that came before.

What cannot be read is that partition's alone: it is passed, up to the sentinel, because a new beginning may stand
behind it (`partition.ANEW`); if none does, the partition's rows are not to be relied on, and it says so in `halt`.
"""

import asyncio
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from chassis.kafka import fetch, unpacked_size
from chassis.kafka.halt import Halt
from chassis.kafka.rereading import Rereading
from chassis.kafka.salvage import Salvaged
from reminders.timers.partition import ANEW, SENTINEL, Partition

FETCH_BYTES, PARTITION_BYTES = 1024 * 1024, 256 * 1024
"""Of one answer, and of one partition in it: recovery is bound by the parsing of rows, and larger answers hold up the
event loop while they are taken apart."""

ROWS_A_TURN = 2000
"""Rows replayed between two turns of the event loop: about 6 ms."""

FETCH_S = 0.2
"""A turn waits so long for rows."""

PATIENCE_S = 30.0
"""A recovery that reads nothing for so long never will; another client tries it again later."""


class ChangelogReader:
    """Replays changelog partitions. Used as a context manager."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topic = topic
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=PARTITION_BYTES,
            fetch_max_wait_ms=100,
        )
        self._consumer._client.send = unpacked_size.looking(self._consumer._client.send)
        self._ends: Mapping[TopicPartition, int] = {}
        self._places: dict[TopicPartition, int] = {}
        self._ended: set[TopicPartition] = set()
        self._rereading = Rereading()
        self._since = time.monotonic()
        self.read = 0

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rereading.forget()
        await self._consumer.stop()

    @property
    def left(self) -> int:
        """Offsets still to read: an upper bound of the rows, for compaction leaves holes."""
        return sum(max(0, end - self._places.get(tp, 0)) for tp, end in self._ends.items())

    @property
    def left_s(self) -> float | None:
        """Seconds left at the rate so far, or None before the first row."""
        took = time.monotonic() - self._since
        return round(self.left / (self.read / took), 1) if self.read else None

    async def recover(self, parts: Mapping[int, Partition], sentinels: Mapping[int, bytes]) -> None:
        """Replay partitions from where each stands until its sentinel is read, or it stands still."""
        await self._assign(parts)
        self._since = time.monotonic()
        waiting = dict(sentinels)
        heard = time.monotonic()
        while waiting:
            if await self._turn(parts, waiting):
                heard = time.monotonic()
            elif time.monotonic() - heard > PATIENCE_S:
                for number in waiting:
                    place = self._places[TopicPartition(self._topic, number)]
                    parts[number].stand_still(place, f"Kafka gave nothing for {PATIENCE_S:.0f} s", None)
                return
            for tp in self._ended:
                waiting.pop(tp.partition, None)

    async def follow(self, parts: Mapping[int, Partition]) -> None:
        """Replay partitions for ever, as a standby does."""
        await self._assign(parts)
        while True:
            await self._turn(parts, {})

    async def _assign(self, parts: Mapping[int, Partition]) -> None:
        tps = {TopicPartition(self._topic, number): part for number, part in parts.items()}
        self._consumer.assign(list(tps))
        new = [tp for tp, part in tps.items() if part.position is None]
        starts = await self._consumer.beginning_offsets(new) if new else {}
        self._ends = await self._consumer.end_offsets(list(tps))
        for tp, part in tps.items():
            if part.position is None:
                part.first = starts[tp]
            place = part.first if part.position is None else part.position
            self._places[tp] = place
            self._consumer.seek(tp, place)

    async def _turn(self, parts: Mapping[int, Partition], waiting: dict[int, bytes]) -> bool:
        wanted = self._consumer.assignment() - self._ended - self._rereading.under_way
        fetched = await fetch.fetch(self._consumer, wanted, FETCH_S, ROWS_A_TURN)
        for tp, unread in fetched.unread.items():
            self._rereading.begin(self._consumer, tp, unread, self._places[tp])
        for tp, found in (await self._rereading.ended()).items():
            if (salvaged := self._pass_over(tp, parts[tp.partition], found)) is not None:
                fetched.records[tp] = salvaged
        for tp, records in fetched.records.items():
            part = parts[tp.partition]
            for record in records:
                if record.key == SENTINEL and record.value == waiting.get(tp.partition):
                    del waiting[tp.partition]
                elif record.key is not None:
                    _replay(part, record)
            self.read += len(records)
            if records:
                self._places[tp] = part.position = max(self._places[tp], records[-1].offset + 1)
            await asyncio.sleep(0)
        return bool(fetched.records)

    def _pass_over(
        self, tp: TopicPartition, part: Partition, found: Salvaged | Halt
    ) -> list[ConsumerRecord[bytes, bytes]] | None:
        """Go on after what aiokafka cannot read; return what could be read of it after all, None if it must wait."""
        end = found.skip_to if isinstance(found, Halt) else found.end
        if isinstance(found, Halt):
            part.stand_still(found.offset, found.why, end)
        if end is None:
            self._ended.add(tp)
            return None
        self._consumer.seek(tp, end)
        self._places[tp] = part.position = end
        return [] if isinstance(found, Halt) else found.records


def _replay(part: Partition, record: ConsumerRecord[bytes, bytes]) -> None:
    if record.key == ANEW:
        part.begin_anew(record.offset)
        return
    try:
        part.replay(record.key or b"", record.value)
    except Exception as error:  # noqa: BLE001  # whatever one record raises is its partition's alone
        part.stand_still(record.offset, f"a row cannot be read: {error}", record.offset + 1)
