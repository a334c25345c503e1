"""The timers' process: Faust, intake and emitter together, and how they end."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from aiokafka import TopicPartition
from faust.streams import Stream
from faust.types import TP, EventT, StreamT

from chassis.delivery.unreadable_limit import Breaker
from chassis.postgres.clock_check import ClockCheck
from reminders.settings import SERVICE
from reminders.timers.app import GatingTableManager, LateConsumer, TimersApp, TimersTable, add_table, build
from reminders.timers.consumer import AwaitedConsumer, BatchSchema
from reminders.timers.emitter import Emitter
from reminders.timers.id_refresh import EVERY_S, IdRefresh
from reminders.timers.intake import Intake
from reminders.timers.lifetime import live
from reminders.timers.partition import Partition
from reminders.timers.ports import Outcome, Owner, Source
from reminders.timers.recovery import FencingRecovery, Writers
from reminders.timers.row import Row, unpack
from reminders.timers.source_reader import OrderOf, SourceReader, no_order
from reminders.timers.store import PartitionedStore
from reminders.timers.transaction import Transactions
from schemas.instants import instant, micros

STEPPED_LOOK_S, LOOK_S = 0.05, 1.0
"""How often the clock is looked at although nothing is due: it may be stepped by a file, or set by hand."""
GROUP_EVERY_S = 1.0
"""Between looks whether something went wrong in the group."""


@dataclass(frozen=True, slots=True)
class Names:
    """Where the timers read and write.

    Attributes:
        app: Consumer group; the changelog is called `<app>-<table>-changelog`, the transactional ids
            `<app>-<partition>`.
    """

    app: str
    table: str
    sources: tuple[str, ...]
    events: str
    partitions: int


@dataclass(frozen=True, slots=True)
class Reports:
    """What the engine tells of its work.

    Attributes:
        fired: What became of timers, the instants they were due in microseconds, and the time.
        expected: What will become of timers found overdue, told before the first of them is fired (B3).
    """

    count: Callable[[Counter[Outcome]], None] = lambda _: None
    fired: Callable[[Counter[str], list[int], datetime], None] = lambda _counts, _due, _now: None
    expected: Callable[[Counter[str]], None] = lambda _: None


class Engine:
    """Timers of one worker.

    Args:
        names: Topics; all exist already, with the same number of partitions.
        order_of: What a person ordered of a partition that stands still.
    """

    def __init__(
        self,
        bootstrap: str,
        names: Names,
        owner: Owner,
        keep: timedelta,
        now: Callable[[], datetime],
        *,
        stepped: bool = False,
        keep_ids_every_s: float = EVERY_S,
        reports: Reports | None = None,
        clocks: ClockCheck | None = None,
        order_of: OrderOf = no_order,
        **overrides: Any,
    ) -> None:
        reports = reports or Reports()
        self._names = names
        self._now = now
        self._owner = owner
        self._clocks = clocks
        self._breaker = Breaker()
        self._app: TimersApp = build(names.app, bootstrap, names.partitions, **overrides)
        self._app.source_reader = SourceReader(self._is_closed, order_of)
        self._table: TimersTable = add_table(self._app, names.table, names.partitions)
        self._store.keep = keep // timedelta(microseconds=1)
        self._store.on_live = self._look_at_live
        changelog = self._table.changelog_topic_name
        writers = Writers(bootstrap, names.app, changelog, clocks)
        self._recovery.writers = writers
        self._recovery.order_of = order_of
        self._transactions = Transactions(writers.__getitem__, names.events, changelog, self._wake)
        self._id_refresh = IdRefresh(writers, changelog, self._live, keep_ids_every_s, clocks)
        look_every_s = STEPPED_LOOK_S if stepped else LOOK_S
        self._emitter: Emitter = Emitter(
            owner,
            self._transactions,
            self._firing,
            now,
            look_every_s,
            reports.fired,
            reports.expected,
            self._look_at_live,
        )
        self._intake = Intake(
            owner, self._transactions, self._live, LateConsumer(self._app), lambda: self._app.consumer_generation_id,
            reports.count, self._breaker,
        )  # fmt: skip
        source = self._app.topic(*names.sources, schema=BatchSchema(key_type=bytes, value_type=bytes,
                                 key_serializer="raw", value_serializer="raw"))  # fmt: skip
        self._app.agent(source, name="intake")(self._agent)

    @property
    def ready(self) -> bool:
        """Whether the table is recovered and its timers fire."""
        return self._store.recovered

    def reason(self) -> str | None:
        """Why it does not do all of its work, or None; what stands still says the way out."""
        recovering = None if self.ready else "recovering the table, or waiting for partitions"
        return (
            self._breaker.reason(SERVICE) or self._app.source_reader.reason() or self._recovery.reason() or recovering
        )

    def plan_anew(self, ask: Callable[[], None]) -> None:
        """Let partitions begin anew, and rows be set aside: `ask` has planned what they were to remind of."""
        self._recovery.begun_anew = ask

    def begun_anew(self) -> dict[int, int]:
        """Return the live partitions that began anew and were not planned since: see `FencingRecovery.begun`."""
        return self._recovery.begun()

    async def note_planned(self, begun: Mapping[int, int]) -> None:
        """Note that these were planned: see `FencingRecovery.note_planned`."""
        await self._recovery.note_planned(begun)

    @property
    def recovering(self) -> dict[str, float | int | None] | None:
        """Rows replayed and left, and seconds left, of a recovery under way."""
        return self._recovery.progress

    @property
    def rows(self) -> int:
        """Rows of the live partitions."""
        return sum(len(part) for part in self._live().values())

    async def next_due(self) -> datetime | None:
        """Return when the next timer of this worker fires, exactly."""
        dues = [await part.next_due() for part in list(self._live().values())]
        soonest = min((due for due in dues if due is not None), default=None)
        return None if soonest is None else instant(soonest)

    def get(self, partition: int, key: bytes) -> Row | None:
        """Return the row under a key, or None: not there, or its partition is not live here."""
        part = self._live().get(partition)
        packed = None if part is None else part.get(key)
        return None if packed is None else unpack(packed)

    def keys(self, partition: int) -> Iterator[bytes]:
        """Return the keys held now in a live partition, none if it is not live here."""
        part = self._live().get(partition)
        return iter(()) if part is None else part.all_keys()

    def is_aside(self, partition: int, key: bytes) -> bool:
        """Say whether the time of a row has come and nothing can be said of it: it is to be planned anew."""
        part = self._live().get(partition)
        return part is not None and key in part.aside

    @property
    def live(self) -> Collection[int]:
        """Numbers of the partitions that this worker may fire now."""
        return self._live().keys()

    @property
    def taking(self) -> Collection[int]:
        """Numbers of the live partitions whose source is taken: of those that stand still it is not."""
        return self._live().keys() - self._app.source_reader.halted

    async def offer(self, partition: int, records: Sequence[Source]) -> int:
        """Take records that came another way than by the source: see `Intake.offer`."""
        return await self._intake.offer(partition, records)

    async def lag(self) -> dict[int, int]:
        """Return partition → source records not yet acknowledged."""
        return await cast(AwaitedConsumer, self._app.consumer).lag(*self._names.sources)

    async def idle(self) -> bool:
        """Whether nothing is in hand or due, the source is read to its end, and what was written can be read."""
        if not self._rests or any((await self.lag()).values()):
            return False
        written = self._written()
        if not await cast(AwaitedConsumer, self._app.consumer).visible(written):
            return False
        return self._rests and self._written() == written

    @property
    def _rests(self) -> bool:
        """Whether nothing is due or being written. What is taken to be fired is under its partition's lock."""
        if not self.ready or self._intake.busy or any(part.lock.locked() for part in self._live().values()):
            return False
        now = micros(self._now())
        return all(wake is None or wake > now for wake in (part.next_wake for part in self._live().values()))

    def _written(self) -> list[tuple[TP, int]]:
        """Return the offsets up to which each topic's partitions were written from here."""
        return [(TP(topic, number), offset) for number, part in self._live().items()
                for topic, offset in part.written.items()]  # fmt: skip

    def packed_rows(self) -> dict[int, Mapping[bytes, bytes]]:
        """Return the live rows as they are in the changelog, by partition."""
        return {number: dict(part.packed()) for number, part in self._live().items()}

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then stop taking, finish what is in hand, commit and leave.

        Raises:
            EngineFailed: Something ended by itself. Nothing is committed beyond what is durable.
        """
        parts = {
            "intake": self._intake.run(),
            "emitter": self._emitter.run(),
            "id_refresh": self._id_refresh.run(),
            "group": self._watch_group(),
        }
        await live(self._app, parts, stop, self._let_go)

    async def _watch_group(self) -> None:
        while True:
            await asyncio.sleep(GROUP_EVERY_S)
            await cast(AwaitedConsumer, self._app.consumer).check_group()

    def _let_go(self) -> None:
        self._store.suspend()
        self._app.conf.stream_wait_empty = False  # what is in hand will never be acknowledged

    async def _agent(self, stream: StreamT[bytes]) -> None:
        events = cast(AsyncIterator[EventT[bytes]], cast(Stream[bytes], stream).noack().events())
        try:
            async for event in events:
                self._intake.take(event.message)
        except Exception as error:
            await self._app.crash(error)  # Faust would restart the agent and go on (fact 2)
            raise

    def _is_closed(self, tp: TopicPartition) -> bool:
        """Whether nothing more of a source is to be taken: the fault is ours, or its timers are not live."""
        return tp.topic in self._names.sources and (self._breaker.is_open or tp.partition not in self._live())

    def _wake(self) -> None:
        self._emitter.wake()

    def _look_at_live(self) -> None:
        """Fire what is due of what is live; have planned what is aside or began anew, here or at who had it before."""
        self._wake()
        plan_anew = self._recovery.begun_anew
        if plan_anew is not None and any(part.begun_anew or part.aside for part in self._live().values()):
            plan_anew()

    @property
    def _recovery(self) -> FencingRecovery:
        return cast(GatingTableManager, self._app.tables).recovery

    @property
    def _store(self) -> PartitionedStore:
        return cast(PartitionedStore, self._table.data)

    def _live(self) -> Mapping[int, Partition]:
        return self._store.live

    def _firing(self) -> Mapping[int, Partition]:
        """The partitions that may be fired now: none by a clock that nobody agrees with."""
        return self._live() if self._clocks is None or self._clocks.reason() is None else {}
