"""Outgoing events: written in the transaction of their cause, published by a relay until acknowledged (design §3).

Rows are selected *unpublished* and deleted when acknowledged, never by a high-water id: ids commit out of order.
"""

import asyncio
import contextlib
import heapq
import time
from collections import Counter
from collections.abc import Callable, Sequence
from operator import itemgetter

import asyncpg
import orjson

from chassis.kafka.partitioner import partition_of
from chassis.kafka.producer import Fenced, Place, Publishers, Record
from chassis.outbox.held_back import HeldBack
from chassis.outbox.statements import AGE, BEGIN, DELETE, LOOK, PLACE, UNPLACED, UNPUBLISHED
from chassis.postgres.database import Connection, Pool, unavailable
from chassis.postgres.portion import Portion, learning, shrinking
from chassis.process import logs
from chassis.process.backoff import Backoff
from chassis.process.clock import Clock
from chassis.process.errors import Unavailable
from chassis.process.metrics import Metrics
from chassis.process.settings import ServiceSettings
from schemas.topics import Topic

ROUND = 5_000
"""Rows a round publishes at most, the same share for each partition: about 4 MB, well inside the deadline.

The deadline, `held_back.LONGEST_PATIENCE_S`, is once for having a producer and once for the acknowledgements: together
below the role's idle_in_transaction_session_timeout and its transaction_timeout (8 s, 10 s). A frozen broker gives no
error."""
POLL_S = 0.05
"""Between looks when nobody wakes the relay."""
LONGEST_PAUSE_S = 2.0
"""Between looks while Kafka or PostgreSQL is away."""
GATHER_S = 0.005
"""From the start of a round that published to the start of the next: what is committed meanwhile shares it. A round
costs five trips to the database and one to the broker, however few its rows; after a pause there is no wait."""


class Relay:
    """Publishes the outbox of one schema. Any number may run; one at a time has a round.

    A partition that Kafka does not acknowledge while it acknowledges others is passed over by the next rounds, and
    tried again in rounds of its own (`HeldBack`). Rows of one key are in one partition, so their order holds.
    A round that PostgreSQL ended before its rows were read, or deleted, is followed by smaller ones (`Portion`): it is
    done again, and would be for ever. How long Kafka takes says nothing of their number.

    Args:
        clock: Unused for decisions; ages are the database's.
        transactional_id: For compacted topics: a relay that was frozen must not append an old version last.
    """

    def __init__(
        self,
        pool: Pool,
        settings: ServiceSettings,
        metrics: Metrics,
        clock: Clock,
        topics: Sequence[Topic],
        transactional_id: str | None = None,
        *,
        publisher: Publishers | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._metrics = metrics
        self._monotonic = monotonic
        self._partitions = {t.name: t.partitions for t in topics}
        self._topics = list(self._partitions)
        self._places = [(t.name, number) for t in topics for number in range(t.partitions)]
        self._publisher = publisher or Publishers(
            settings.kafka_bootstrap_servers, settings.topic_prefix, transactional_id
        )
        self._held_back = HeldBack()
        self._portion = Portion(ROUND)
        self._lock = "relay of " + ",".join(self._topics)
        self._age = metrics.outbox_age.labels(",".join(self._topics))
        self._wanted = asyncio.Event()
        self._log = logs.get_logger()
        self._failing: str | None = None
        self._more = False

    def wake(self) -> None:
        """Say that something was committed to the outbox."""
        self._wanted.set()

    def reason(self) -> str | None:
        """Why events do not leave now, or None."""
        return self._failing or self._held_back.reason()

    async def idle(self) -> bool:
        """Whether nothing waits to be published."""
        return await self._oldest_s() is None

    async def age_s(self) -> float:
        """Seconds that the oldest unpublished event has waited; 0 when none does."""
        return await self._oldest_s() or 0.0

    async def _oldest_s(self) -> float | None:
        age: float | None = await self._pool.fetchval(AGE, *_columns(self._places))
        return age

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop`, then once more what is left."""
        stopping = asyncio.create_task(self._wake_at(stop))
        backoff = Backoff(2 * POLL_S, LONGEST_PAUSE_S)
        try:
            while not stop.is_set():
                woken = self._wanted.is_set()
                self._wanted.clear()
                began = self._monotonic()
                try:
                    published = await self.round() if self._more or woken or await self._waiting() else 0
                    self._failing = None
                    backoff.succeeded()
                except Unavailable as error:
                    if self._failing is None:
                        self._log.warning("outbox.unavailable", code=error.code, reason_text=error.message)
                    self._failing, published = error.message, 0
                    backoff.failed()
                if not self._more:
                    await self._pause(backoff.pause_s() if self._failing else POLL_S)
                    if published and (rest := began + GATHER_S - self._monotonic()) > 0:
                        await asyncio.sleep(rest)
            await self._last_round()
        finally:
            stopping.cancel()
            await self._publisher.close()

    async def _waiting(self) -> bool:
        """Look, in one trip, whether there is anything for a round."""
        asked, _ = self._held_back.next_round(self._places, self._monotonic())
        ((waiting, age_s),) = await self._pool.fetch(LOOK, *_columns(asked), *_columns(self._places))
        self._age.set(age_s or 0)
        return bool(waiting)

    async def round(self) -> int:
        """Publish what waits, up to `ROUND` rows, or as many as PostgreSQL takes; return how many left the outbox.

        A relay that another one has fenced gives its round up, and reads anew what waits: what it had read may be
        older than what the other has published.

        Raises:
            Unavailable: Kafka or PostgreSQL is not there, or did not acknowledge in time.
        """
        try:
            return await self._round()
        except Fenced:
            return await self._round()

    async def _round(self) -> int:
        self._more = False
        asked, deadline_s = self._held_back.next_round(self._places, self._monotonic())
        async with self._pool.acquire() as connection, contextlib.AsyncExitStack() as transaction:
            await transaction.enter_async_context(connection.transaction())
            ((locked, unplaced, _),) = await connection.fetch(BEGIN, self._lock, self._topics)
            if not locked:
                return 0
            if unplaced:
                return await self._place(connection, transaction)
            ready = await self._publisher.ready(asked, deadline_s)  # before the rows are read: see `Publisher`
            with shrinking(self._portion), unavailable():
                rows, more = await self._unpublished(connection, ready)
            answers = await self._publisher.publish([_record(row) for row in rows], deadline_s)
            ids = [row["id"] for row, done in zip(rows, answers, strict=True) if done]
            if ids:
                with (
                    learning(self._portion, self._monotonic, self._portion.records if more else len(ids)),
                    unavailable(),
                ):
                    await connection.execute(DELETE, ids)
                    await transaction.aclose()
        outcome = [((row["topic"], row["partition"]), done) for row, done in zip(rows, answers, strict=True)]
        for name, count in Counter(topic for (topic, _), done in outcome if done).items():
            self._metrics.published.labels(name).inc(count)
        self._judge(asked, ready, outcome)
        self._more = more
        return len(ids)

    async def _place(self, connection: Connection, transaction: contextlib.AsyncExitStack) -> int:
        """Give rows written by the release before this one their places: a round of its own, which publishes none."""
        with shrinking(self._portion), unavailable():
            rows = await connection.fetch(UNPLACED, self._topics, self._portion.records)
        numbers = [partition_of(row["key"], self._partitions[row["topic"]]) for row in rows]
        with learning(self._portion, self._monotonic, len(rows)), unavailable():
            await connection.execute(PLACE, [row["id"] for row in rows], numbers)
            await transaction.aclose()
        self._more = True
        return 0

    async def _unpublished(self, connection: Connection, places: Sequence[Place]) -> tuple[list[asyncpg.Record], bool]:
        """Read the first rows of each place, as many of each; say whether there may be more."""
        share = max(1, self._portion.records // max(1, len(places)))
        rows = await connection.fetch(UNPUBLISHED, *_columns(places), share, self._topics)
        counts = Counter((row["topic"], row["partition"]) for row in rows)
        self._age.set(max((row["age_s"] for row in rows), default=0))
        # of more places than it may have rows, those that have waited longest
        return heapq.nsmallest(self._portion.records, rows, itemgetter("id")), share in counts.values()

    def _judge(self, asked: Sequence[Place], ready: Sequence[Place], outcome: list[tuple[Place, bool | None]]) -> None:
        """Draw from a round's answers which partitions are held back.

        Raises:
            Fenced: Another relay has written since; what waits is to be read anew.
            Unavailable: Kafka acknowledged nothing whole: it is away, rather than one of its partitions.
        """
        failing = {place for place in asked if place not in ready} | {p for p, done in outcome if done is False}
        fenced = {place for place, done in outcome if done is None}
        whole = {place for place, _ in outcome} - failing - fenced
        self._held_back.acknowledged(set(ready) - failing)
        if failing and (whole or self._held_back.holds(failing)):
            self._held_back.failed(failing, self._monotonic())
            self._metrics.outbox_failures.labels("PARTITION_HELD_BACK").inc()
            self._log.warning("outbox.held_back", partitions=[f"{t}[{n}]" for t, n in sorted(failing)])
        elif failing:
            self._metrics.outbox_failures.labels("KAFKA_UNAVAILABLE").inc()
            count = sum(done is True for _, done in outcome)
            raise Unavailable("KAFKA_UNAVAILABLE", f"Kafka acknowledged {count} of {len(outcome)} events")
        if fenced:
            raise Fenced

    async def _pause(self, delay: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._wanted.wait()

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wanted.set()

    async def _last_round(self) -> None:
        try:
            await self.round()
            while self._more:
                await self.round()
        except Unavailable as error:
            self._log.warning("outbox.left_unpublished", code=error.code)


def _columns(places: Sequence[Place]) -> tuple[list[str], list[int]]:
    return [topic for topic, _ in places], [number for _, number in places]


def _record(row: asyncpg.Record) -> Record:
    return Record(row["topic"], row["key"], row["value"], headers(row["headers"]), row["partition"])


def headers(stored: bytes) -> list[tuple[str, bytes]]:
    """Return Kafka headers from the outbox's form."""
    return [(name, value.encode()) for name, value in orjson.loads(stored)]
