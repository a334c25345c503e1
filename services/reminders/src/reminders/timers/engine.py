"""The timers' process: Faust, intake and emitter together, and how they end."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from faust.streams import Stream
from faust.types import EventT, StreamT

from reminders.timers.app import TimersApp, TimersTable, add_table, build
from reminders.timers.consumer import AwaitedConsumer
from reminders.timers.emitter import Emitter
from reminders.timers.intake import Intake
from reminders.timers.partition import Partition
from reminders.timers.ports import Outcome, Owner
from reminders.timers.producer import AwaitedProducer
from reminders.timers.store import PartitionedStore
from reminders.timers.writing import Writer

STOP_S = 9.0
"""Faust's own stop, in which the last offsets are committed; then the process leaves all the same."""

ABANDON_S = 4.0
"""The same after a failure, when it may never end."""

CRASH_POLL_S = 0.2

STUCK_S = 30.0
"""A recovery that replays nothing for so long never will: Faust's was seen to stop fetching after a takeover
on a loaded machine (one run of four). The process ends, and its next start recovers."""


class EngineFailed(RuntimeError):
    """Faust, the intake or the emitter failed. The process must end; what was not acknowledged is read again."""


@dataclass(frozen=True, slots=True)
class Names:
    """Where the timers read and write.

    Attributes:
        app: Consumer group; the changelog is called `<app>-<table>-changelog`.
        table: Name of the table.
        source: Topic of the records.
        events: Topic of what is published, co-partitioned with the source.
        partitions: Of all of them.
    """

    app: str
    table: str
    source: str
    events: str
    partitions: int


@dataclass(frozen=True, slots=True)
class Reports:
    """What the engine tells of its work: counts by outcome, and what was fired when."""

    count: Callable[[Counter[Outcome]], None] = lambda _: None
    fired: Callable[[Counter[str], list[datetime], datetime], None] = lambda _counts, _due, _now: None


class Engine:
    """Timers of one worker.

    Args:
        bootstrap: Kafka's address.
        names: Topics; all exist already, with the same number of partitions.
        owner: Knows what the timers are for.
        now: Domain time.
        reports: Told of the work done.
    """

    def __init__(
        self,
        bootstrap: str,
        names: Names,
        owner: Owner,
        now: Callable[[], datetime],
        reports: Reports | None = None,
        **overrides: Any,
    ) -> None:
        reports = reports or Reports()
        self._names = names
        self._now = now
        self._app: TimersApp = build(names.app, bootstrap, names.partitions, **overrides)
        self._table: TimersTable = add_table(self._app, names.table, names.partitions)
        writer = Writer(_LateProducer(self._app), names.events, self._table.changelog_topic_name)
        self._intake = Intake(
            owner, writer, self._live, _LateConsumer(self._app), lambda: self._app.consumer_generation_id, reports.count
        )
        self._emitter = Emitter(owner, writer, self._live, now, reports.fired)
        source = self._app.topic(names.source, key_type=bytes, value_type=bytes, key_serializer="raw",
                                 value_serializer="raw", allow_empty=True)  # fmt: skip
        self._app.agent(source, name="intake")(self._agent)

    @property
    def ready(self) -> bool:
        """Whether the table is recovered and its timers fire."""
        return self._store.recovered

    @property
    def rows(self) -> int:
        """Rows of the live partitions."""
        return sum(len(part) for part in self._live().values())

    @property
    def next_due(self) -> datetime | None:
        """When the next timer of this worker fires."""
        return min((due for part in self._live().values() if (due := part.next_due) is not None), default=None)

    async def lag(self) -> dict[int, int]:
        """Return partition → source records not yet acknowledged."""
        return await cast(AwaitedConsumer, self._app.consumer).lag(self._names.source)

    async def idle(self) -> bool:
        """Whether nothing is in hand, nothing is due and the source is read to its end."""
        if not self.ready or self._intake.busy or any((await self.lag()).values()):
            return False
        due = self.next_due
        return not self._intake.busy and (due is None or due > self._now())

    def packed_rows(self) -> dict[int, Mapping[bytes, bytes]]:
        """Return the live rows as they are in the changelog, by partition."""
        return {number: dict(part.packed()) for number, part in self._live().items()}

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then stop taking, finish what is in hand, commit and leave.

        Raises:
            EngineFailed: Something ended by itself. Nothing is committed beyond what is durable.
        """
        work = [asyncio.create_task(self._intake.run()), asyncio.create_task(self._emitter.run())]
        starting = asyncio.create_task(self._app.start())
        guards = [asyncio.create_task(self._crashed()), asyncio.create_task(self._stuck())]
        watch = [*work, *guards, asyncio.create_task(stop.wait())]
        try:
            await asyncio.wait([*watch, starting], return_when=asyncio.FIRST_COMPLETED)
            if starting.done() and starting.exception() is None:
                await asyncio.wait(watch, return_when=asyncio.FIRST_COMPLETED)
            failed = [task for task in [*watch[:-1], starting] if task.done() and task.exception() is not None]
            if failed:
                await self._abandon()
                raise EngineFailed("the timers' process ends") from failed[0].exception()
            await self._leave()
        finally:
            for task in [*watch, starting]:
                task.cancel()
            await asyncio.gather(*watch, starting, return_exceptions=True)

    async def _leave(self) -> None:
        async with asyncio.timeout(STOP_S):
            await self._app.stop()

    async def _abandon(self) -> None:
        self._store.suspend()
        self._app.conf.stream_wait_empty = False  # what is in hand will never be acknowledged
        with contextlib.suppress(Exception):
            async with asyncio.timeout(ABANDON_S):
                await self._app.stop()

    async def _crashed(self) -> None:
        while not self._app.crashed:  # noqa: ASYNC110  # set from Faust's other threads too: no event is safe
            await asyncio.sleep(CRASH_POLL_S)
        raise self._app.crash_reason or EngineFailed("Faust ended without a reason")

    async def _stuck(self) -> None:
        seen, since = None, time.monotonic()
        while True:
            await asyncio.sleep(CRASH_POLL_S)
            replayed = self._store.recovering
            if replayed is None or replayed != seen:
                seen, since = replayed, time.monotonic()
            elif time.monotonic() - since > STUCK_S:
                raise EngineFailed(f"recovery stands still after {replayed} records for {STUCK_S:.0f} s")

    async def _agent(self, stream: StreamT[bytes]) -> None:
        events = cast(AsyncIterator[EventT[bytes]], cast(Stream[bytes], stream).noack().events())
        try:
            async for event in events:
                await self._intake.take(event.message)
        except Exception as error:
            await self._app.crash(error)  # Faust would restart the agent and go on (fact 2)
            raise

    @property
    def _store(self) -> PartitionedStore:
        return cast(PartitionedStore, self._table.data)

    def _live(self) -> Mapping[int, Partition]:
        return self._store.live


class _LateProducer:
    """Faust makes its producer when it starts."""

    def __init__(self, app: TimersApp) -> None:
        self._app = app

    async def send_all(self, topic: str, partition: int, items: Any) -> None:
        await cast(AwaitedProducer, self._app.producer).send_all(topic, partition, items)


class _LateConsumer:
    """Faust makes its consumer when it starts."""

    def __init__(self, app: TimersApp) -> None:
        self._app = app

    def acknowledge(self, message: Any) -> None:
        cast(AwaitedConsumer, self._app.consumer).acknowledge(message)

    def release(self, message: Any) -> None:
        cast(AwaitedConsumer, self._app.consumer).release(message)
