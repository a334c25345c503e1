"""Faust's recovery, made to fence, to read in batches and to end at a sentinel.

Read against faust-streaming 0.15.3: `Recovery` decides by end offsets whether it is through (fact 10),
reads by the group's consumer event by event, and lets errors of its callbacks pass. `_restart_recovery`
is its whole course and `_slurp_changelogs` its reader: both are replaced; what starts a recovery, what
interrupts it (`_wait`), and what follows it (`on_recovery_completed`: seek, resume, ready) stay Faust's.
The changelog's partitions stay paused in the group's consumer; they are there to be assigned.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from itertools import islice
from typing import Any, cast
from uuid import UUID

from aiokafka import TopicPartition
from faust.tables.recovery import RebalanceAgain, Recovery, ServiceStopped
from mode import Service

from chassis.postgres.clock_check import ClockCheck
from chassis.process.logs import get_logger
from reminders.settings import SERVICE
from reminders.timers.changelog import ChangelogReader
from reminders.timers.partition import PLANNED, SENTINEL, Partition
from reminders.timers.producer import FencedProducer
from reminders.timers.revival import Reviving
from reminders.timers.row import UnreadableRow
from reminders.timers.source_reader import OrderOf, no_order
from reminders.timers.store import PartitionedStore

NAMED = 3
"""Of the rows that were set aside, so many are named to people."""


class Writers:
    """The producers of the partitions owned: one each, for as long as the partition is ours.

    Args:
        prefix: Of the transactional ids: `<prefix>-<partition>`.
    """

    def __init__(self, bootstrap: str, prefix: str, changelog: str, clocks: ClockCheck | None = None) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._changelog = changelog
        self._clocks = clocks
        self._producers: dict[int, FencedProducer] = {}
        self._lock = asyncio.Lock()

    def __getitem__(self, partition: int) -> FencedProducer:
        return self._producers[partition]

    async def own(self, partitions: set[int]) -> dict[int, bytes]:
        """Let go of other partitions, fence these, and commit a sentinel to each.

        Goes on to its end when the caller is cancelled by the next rebalance, whose own call then waits:
        a sentinel half written would leave a transaction open.

        Raises:
            ProducerFenced: Another worker owns one of them by now: this one was frozen. It must end.
        """
        return await asyncio.shield(asyncio.ensure_future(self._own_all(partitions)))

    async def stop(self) -> None:
        """Let go of all."""
        await self.own(set())

    async def quiet(self) -> None:
        """Wait until nobody is being fenced: a fence that came after the next owner's would shut him out."""
        async with self._lock:
            pass

    async def _own_all(self, partitions: set[int]) -> dict[int, bytes]:
        async with self._lock:
            lost = set(self._producers) - partitions
            await asyncio.gather(*(self._producers.pop(number).stop() for number in lost))
            sentinels = await asyncio.gather(*map(self._own, partitions))
            return dict(zip(partitions, sentinels, strict=True))

    async def _own(self, partition: int) -> bytes:
        if partition not in self._producers:
            producer = FencedProducer(self._bootstrap, f"{self._prefix}-{partition}", partition, self._clocks)
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producers[partition] = producer
        sentinel = secrets.token_bytes(16)
        await self._producers[partition].write({self._changelog: [(SENTINEL, sentinel, ())]})
        return sentinel


class FencingRecovery(Recovery):
    """Fences, replays, indexes; then the timers are live.

    Attributes:
        reader: Reading now, or None.
        begun_anew: Called when partitions are live of which one began anew without rows, and nobody has planned what is
            ahead since: whoever it calls does. None: nobody would, so none begins anew.
    """

    writers: Writers
    reader: ChangelogReader | None = None
    order_of: OrderOf = staticmethod(no_order)
    begun_anew: Callable[[], None] | None = None
    _beside: Sequence[asyncio.Task[None]] = ()

    @Service.task
    async def _restart_recovery(self) -> None:
        while not self.should_stop:
            if await self.wait_for_stopped(self.signal_recovery_start):  # type: ignore[arg-type]  # as Faust's
                break
            self.signal_recovery_start.clear()
            generation = self._generation_id
            self._set_recovery_started()
            try:
                await self._wait(self._recover())
                await self._wait(self.on_recovery_completed(generation))
            except RebalanceAgain:
                continue
            except ServiceStopped:
                break

    @Service.task
    async def _slurp_changelogs(self) -> None:
        """Read nothing: the group's consumer never gives changelog records."""

    @Service.task
    async def _publish_stats(self) -> None:
        """Say nothing: progress is told by `progress`."""

    async def on_stop(self) -> None:
        """End what runs beside, wait for what is being written, and let go of the partitions."""
        await self._end_beside()
        await self.quiet()
        await self.writers.stop()

    async def quiet(self) -> None:
        """Wait until nothing is being written under a transactional id of ours; the gate is shut already."""
        await self._store.quiet()
        await self.writers.quiet()

    @property
    def progress(self) -> dict[str, float | int | None] | None:
        """Rows replayed and left, and seconds left, of the recovery under way; None when none is."""
        reader = self.reader
        return None if reader is None else {"rows": reader.read, "left": reader.left, "left_s": reader.left_s}

    def reason(self) -> str | None:
        """Return which partitions' rows cannot be relied on, where and why, or None."""
        parts, nobody = sorted(self._store.parts.items()), self.begun_anew is None
        halts = ((TopicPartition(self._changelog, number), part.halt) for number, part in parts)
        texts = [halt.text(tp, SERVICE) for tp, halt in halts if halt is not None]
        if texts and nobody:
            texts.append("it is not begun anew while the reconciler is off, for nobody would plan its timers")
        texts += [_aside(f"{self._changelog}[{number}]", part.aside, nobody) for number, part in parts if part.aside]
        return "; ".join(texts) or None

    def begun(self) -> dict[int, int]:
        """Return the live partitions that began anew and were not planned since, and the offset of that beginning."""
        return {number: part.first for number, part in self._store.live.items() if part.begun_anew}

    async def note_planned(self, begun: Mapping[int, int]) -> None:
        """Note, durably, that what is ahead of these new beginnings was planned: whoever recovers them asks no more."""
        for number, first in begun.items():
            if (part := self._store.live.get(number)) is None:
                continue
            async with part.lock:
                if self._store.live.get(number) is part and part.begun_anew and part.first == first:
                    await self.writers[number].write({self._changelog: [(PLANNED, b"planned", ())]})
                    part.begun_anew = False

    async def _recover(self) -> None:
        await self._end_beside()
        store = self._store
        if store.revoking:
            raise RebalanceAgain  # what was assigned is being taken away: whoever gets it fences us
        actives = {tp.partition for tp in self.active_tps}
        standbys = {tp.partition for tp in self.standby_tps} - actives
        started = time.monotonic()
        sentinels = await self.writers.own(actives)
        fenced = time.monotonic()
        parts = {number: store.parts[number] for number in actives}
        async with ChangelogReader(self._bootstrap, self._changelog) as reader:
            self.reader = reader
            try:
                await reader.recover(parts, sentinels)
            finally:
                self.reader = None
        replayed = time.monotonic()
        await self._make_ready(parts)
        get_logger().info(
            "timers.recovered", partitions=len(parts), rows=sum(map(len, parts.values())), replayed=reader.read,
            fence_s=round(fenced - started, 2), replay_s=round(replayed - fenced, 2),
            index_s=round(time.monotonic() - replayed, 2),
        )  # fmt: skip
        beside = [self._follow({number: store.parts[number] for number in standbys})] if standbys else []
        if any(part.halt is not None for part in parts.values()):
            order_of = no_order if self.begun_anew is None else self.order_of
            reviving = Reviving(store, self.writers, self._changelog, order_of, self._read, self._make_ready)
            beside.append(reviving.run(sentinels))
        self._beside = [asyncio.create_task(self._or_crash(work)) for work in beside]

    async def _make_ready(self, parts: Mapping[int, Partition]) -> None:
        """Build the indexes; a partition with a row that cannot be read stands still."""
        for part in parts.values():
            try:
                if part.halt is None:
                    await part.index()
            except UnreadableRow as error:
                part.stand_still(part.first, f"a row cannot be read: {error}", part.position)

    async def _follow(self, parts: Mapping[int, Partition]) -> None:
        async with ChangelogReader(self._bootstrap, self._changelog) as reader:
            await reader.follow(parts)

    async def _read(self, parts: Mapping[int, Partition], sentinels: Mapping[int, bytes]) -> None:
        async with ChangelogReader(self._bootstrap, self._changelog) as reader:
            await reader.recover(parts, sentinels)

    async def _or_crash(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            await self.app.crash(error)
            raise

    async def _end_beside(self) -> None:
        tasks, self._beside = self._beside, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def _store(self) -> PartitionedStore:
        (table,) = self.tables.values()
        return cast(PartitionedStore, table.data)

    @property
    def _changelog(self) -> str:
        (table,) = self.tables.values()
        return str(table.changelog_topic_name)

    @property
    def _bootstrap(self) -> str:
        return ",".join(f"{url.host}:{url.port}" for url in self.app.conf.broker_consumer)


def _aside(partition: str, rows: Mapping[bytes, str], nobody: bool) -> str:
    """Return what is told of rows that were set aside, with the first ones' keys."""
    some = ", ".join(f"{UUID(bytes=key)} ({why})" for key, why in islice(rows.items(), NAMED))
    way = (
        "set REMINDERS_BOOKING_URL and REMINDERS_BOOKING_KEY: the reconciler plans them"
        if nobody
        else ("the reconciler's next pass plans them anew from booking")
    )
    return f"{partition} has {len(rows)} rows that were due and cannot be read: {some}; {way}"
