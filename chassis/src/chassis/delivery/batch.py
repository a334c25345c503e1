"""What one fetch brought of a topic in one transaction; after a failure its partitions, halves, single records.

So one record cannot hold up the rest, and finding it costs the logarithm of the batch.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import ConsumerRecord, TopicPartition

from chassis.delivery import dead_letter, offsets
from chassis.delivery.subscription import Applied, Decoded, Subscription, decode_all, letter
from chassis.delivery.unreadable_limit import PER_MINUTE, Breaker
from chassis.postgres.after_commit import said_after_commit
from chassis.postgres.database import Pool
from chassis.process import logs
from chassis.process.errors import RejectedEvent, Unavailable
from chassis.process.metrics import Metrics

OURS = frozenset({dead_letter.INTERNAL, "UNKNOWN_TYPE", "UNKNOWN_VERSION", "NO_VALUE", "INVALID"})
"""Reason codes that mean a fault of our own in our own topics; they count for the breaker."""


@dataclass(frozen=True, slots=True)
class Part:
    """One partition's share of a batch.

    Attributes:
        records: In offset order, none below `held`, at least one.
        held: The position that PostgreSQL is expected to have.
    """

    tp: TopicPartition
    records: Sequence[ConsumerRecord[bytes, bytes]]
    held: int

    @property
    def end(self) -> int:
        """The position after them."""
        return int(self.records[-1].offset) + 1

    def first(self, count: int) -> "Part":
        """Return its first records, so many at most, which is at least one."""
        return Part(self.tp, self.records[:count], self.held)

    def halves(self) -> "Iterator[Part]":
        """Yield its two halves."""
        middle = len(self.records) // 2
        first = Part(self.tp, self.records[:middle], self.held)
        yield from (first, Part(self.tp, self.records[middle:], first.end))


def first_of(parts: Iterable[Part], most: int) -> list[Part]:
    """Return the first of these parts' records, so many in all."""
    taken, room = list[Part](), most
    for part in parts:
        if room > 0:
            taken.append(part.first(room))
            room -= len(part.records)
    return taken


class Batch:
    """Applies batches for one consumer."""

    def __init__(
        self, consumer: str, pool: Pool, metrics: Metrics, breaker: Breaker, on_commit: Callable[[], None]
    ) -> None:
        self._consumer = consumer
        self._pool = pool
        self._metrics = metrics
        self._breaker = breaker
        self._on_commit = on_commit
        self._log = logs.get_logger()

    async def apply(
        self, subscription: Subscription[Any], parts: Sequence[Part], moved: Callable[[TopicPartition, int], None]
    ) -> int:
        """Apply the parts; call `moved` with each position that was committed; return how many events took effect.

        Of a part with very many bad records of our own only the first are applied: they open the breaker.

        Raises:
            Overtaken: Another position than `held` is in PostgreSQL: nothing was done beyond the calls of `moved`.
            Unavailable: Nothing beyond that was done, as far as is known; the same records again, later.
        """
        started = time.perf_counter()
        records = [record for part in parts for record in part.records]
        with self._metrics.stage("decode"):
            decoded = decode_all(subscription, records)
        bad = [dead.offset for dead in decoded.dead if dead.code in OURS] if subscription.own else []
        if len(bad) > PER_MINUTE:
            if len(parts) > 1:
                return await self._apart(subscription, parts, moved)
            (part,) = parts
            records = [record for record in records if record.offset <= bad[PER_MINUTE - 1]]
            parts = [Part(part.tp, records, part.held)]
            decoded = decode_all(subscription, records)
        try:
            effects = await self._commit(subscription, parts, decoded)
        except (Unavailable, offsets.Overtaken):
            raise
        except Exception as error:  # noqa: BLE001  # whatever one record causes must not stop the others
            self._metrics.retries.labels(type(error).__name__).inc()
            if len(records) > 1:
                self._log.warning("batch.apart", records=len(records), **_place(parts[0]), cause=error)
                return await self._apart(subscription, parts if len(parts) > 1 else tuple(parts[0].halves()), moved)
            effects = await self._alone(subscription, parts[0], decoded, error)
        for part in parts:
            moved(part.tp, part.end)
        topic = parts[0].tp.topic
        self._metrics.batch_records.labels(topic).observe(len(records))
        self._metrics.batch_seconds.labels(topic).observe(time.perf_counter() - started)
        return effects

    async def set_aside(self, subscription: Subscription[Any], part: Part, why: str) -> None:
        """Make a part's one record, which PostgreSQL never applies in its bounds, an INTERNAL dead letter.

        Raises:
            Overtaken: It was applied after all, or is another owner's.
        """
        (record,) = part.records
        self._log.error("record.set_aside", reason_text=why, **_place(part))
        refusal = RejectedEvent(dead_letter.INTERNAL, why)
        await self._commit(subscription, [part], Decoded([], [], [letter(record, refusal)]))

    async def _apart(
        self, subscription: Subscription[Any], parts: Sequence[Part], moved: Callable[[TopicPartition, int], None]
    ) -> int:
        effects = 0
        for part in parts:
            if not self._breaker.is_open:
                effects += await self.apply(subscription, [part], moved)
        return effects

    async def _alone(self, subscription: Subscription[Any], part: Part, decoded: Decoded, first: Exception) -> int:
        """Settle a record that failed alone: refused with its code; or tried once more, then INTERNAL."""
        (record,) = part.records
        refusal = first if isinstance(first, RejectedEvent) else None
        if refusal is None:
            try:
                return await self._commit(subscription, [part], decoded)
            except (Unavailable, offsets.Overtaken):
                raise
            except RejectedEvent as error:
                refusal = error
            except Exception as error:  # noqa: BLE001  # the second time, alone: it is this record
                self._log.exception("record.failed", **_place(part))
                refusal = RejectedEvent(dead_letter.INTERNAL, type(error).__name__)
        return await self._commit(subscription, [part], Decoded([], [], [letter(record, refusal)]))

    async def _commit(self, subscription: Subscription[Any], parts: Sequence[Part], decoded: Decoded) -> int:
        """Move the positions, apply the events, keep the dead letters and the counts: one transaction."""
        async with self._pool.acquire() as connection:
            outcome, dead = await self._in_transaction(
                connection, lambda: self._effect(connection, subscription, parts, decoded)
            )
        self._on_commit()
        records = sum(len(part.records) for part in parts)
        return self._count(parts[0].tp.topic, subscription.own, records, outcome, dead)

    async def _in_transaction[T](self, connection: Any, work: Callable[[], Awaitable[T]]) -> T:
        with said_after_commit():
            transaction = connection.transaction()
            await transaction.start()
            try:
                result = await work()
            except BaseException:
                # Where PostgreSQL ended the connection there is nothing to undo; why it did is what is raised.
                with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                    await transaction.rollback()
                raise
            await self._metrics.measure(transaction.commit(), "commit")
        return result

    async def _effect(
        self, connection: Any, subscription: Subscription[Any], parts: Sequence[Part], decoded: Decoded
    ) -> tuple[Applied, list[dead_letter.DeadLetter]]:
        moves = [offsets.Move(part.tp, part.held, part.end, len(part.records)) for part in parts]
        await self._metrics.measure(offsets.move(connection, self._consumer, moves), "decide", "sql")
        outcome = Applied()
        if decoded.events:
            outcome = await self._metrics.measure(_told(subscription, connection, decoded.events), "decide", "sql")
        dead = decoded.dead + [letter(decoded.records[place], error) for place, error in outcome.rejected]
        await dead_letter.store(connection, self._consumer, dead)
        others = _others(decoded.records, outcome, dead)
        await self._metrics.measure(offsets.recount(connection, self._consumer, others), "decide", "sql")
        return outcome, dead

    def _count(self, topic: str, own: bool, records: int, outcome: Applied, dead: list[dead_letter.DeadLetter]) -> int:
        others = {"repeat": len(outcome.repeat), "stale": len(outcome.stale), "dead": len(dead)}
        applied = records - sum(others.values())
        for name, number in {"applied": applied, **others}.items():
            if number:
                self._metrics.events.labels(topic, name).inc(number)
        if dead:
            codes = dict(Counter(d.code for d in dead))
            self._log.warning("records.dead", topic_name=topic, count=len(dead), codes=codes)
        if own:
            self._breaker.count(records, sum(d.code in OURS for d in dead))
        return applied


async def _told(subscription: Subscription[Any], connection: Any, events: list[Any]) -> Applied:
    return await subscription.apply(connection, events)


def _others(
    records: Sequence[ConsumerRecord[bytes, bytes]], outcome: Applied, dead: Sequence[dead_letter.DeadLetter]
) -> dict[TopicPartition, tuple[int, int, int]]:
    """Return how many records of each partition were repeat, stale, dead, where there were any (I3)."""
    repeat, stale = ([records[place] for place in places] for places in (outcome.repeat, outcome.stale))
    counts = [Counter(TopicPartition(one.topic, one.partition) for one in some) for some in (repeat, stale, dead)]
    return {tp: (counts[0][tp], counts[1][tp], counts[2][tp]) for tp in sorted(set().union(*counts))}


def _place(part: Part) -> dict[str, Any]:
    return {"topic_name": part.tp.topic, "partition": part.tp.partition, "offset": part.records[0].offset}
