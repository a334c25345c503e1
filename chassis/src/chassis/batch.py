"""One partition's batch in one transaction; after a failure its halves, down to single records.

So one record cannot hold up the rest, and finding it costs the logarithm of the batch.
"""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import TopicPartition

from chassis import dead_letter, logs, offsets
from chassis.after_commit import said_after_commit
from chassis.breaker import PER_MINUTE, Breaker
from chassis.database import unavailable
from chassis.errors import RejectedEvent, Unavailable
from chassis.metrics import Metrics
from chassis.subscription import Applied, Decoded, Subscription, decode_all, letter

OURS = frozenset({dead_letter.INTERNAL, "UNKNOWN_TYPE", "UNKNOWN_VERSION", "NO_VALUE", "INVALID"})
"""Reason codes that mean a fault of our own in our own topics; they count for the breaker."""


class Apart(Exception):
    """These records are to be applied partition by partition."""


@dataclass(frozen=True, slots=True)
class Part:
    """One partition's share of a joint batch: its records in offset order, and the position held before them."""

    tp: TopicPartition
    records: list[Any]
    held: int

    @property
    def end(self) -> int:
        """The position after them."""
        return int(self.records[-1].offset) + 1


class Batch:
    """Applies batches for one consumer."""

    def __init__(
        self, consumer: str, pool: asyncpg.Pool, metrics: Metrics, breaker: Breaker, on_commit: Callable[[], None]
    ) -> None:
        self._consumer = consumer
        self._pool = pool
        self._metrics = metrics
        self._breaker = breaker
        self._on_commit = on_commit
        self._log = logs.get_logger()

    async def apply(
        self,
        tp: TopicPartition,
        subscription: Subscription[Any],
        records: list[Any],
        held: int,
        moved: Callable[[int], None],
    ) -> None:
        """Apply `records`, and tell `moved` each position that was committed.

        Of a batch with very many bad records of our own only the first part is applied: it opens the breaker.

        Args:
            tp: The partition.
            subscription: How its records are read and applied.
            records: In offset order, none below `held`, at least one.
            held: The position that PostgreSQL is expected to have.
            moved: Called with the new position after each commit.

        Raises:
            Overtaken: The position was not at `held`: nothing beyond the last `moved` was done.
            Unavailable: Nothing beyond the last `moved` was done, as far as is known; the same records again, later.
        """
        started = time.perf_counter()
        with self._metrics.stage("decode"):
            decoded = decode_all(subscription, records)
        bad = [d.offset for d in decoded.dead if d.code in OURS] if subscription.own else []
        if len(bad) > PER_MINUTE:
            records = [record for record in records if record.offset <= bad[PER_MINUTE - 1]]
            decoded = decode_all(subscription, records)
        await self._apply(tp, subscription, records, decoded, held, moved)
        self._metrics.batch_records.labels(tp.topic).observe(len(records))
        self._metrics.batch_seconds.labels(tp.topic).observe(time.perf_counter() - started)

    async def together(self, subscription: Subscription[Any], parts: Sequence[Part]) -> None:
        """Apply small batches of several partitions of one topic in one transaction, if each record takes effect.

        Positions move by the same compare-and-set as alone, all or none. On any error nothing was done, or, when a
        commit's answer was lost, all of it; both show when each part is then applied alone.

        Raises:
            Apart: A record is for the dead letters, a repeat or stale: only alone is known whose it is (I3).
            Overtaken: A position was not where it was held.
            Unavailable: PostgreSQL is not there.
        """
        started = time.perf_counter()
        with self._metrics.stage("decode"):
            decoded = [decode_all(subscription, part.records) for part in parts]
        if any(one.dead for one in decoded):
            raise Apart
        events = [event for one in decoded for event in one.events]
        moves = [offsets.Move(part.tp, part.held, part.end, len(part.records)) for part in parts]
        moves.sort(key=lambda move: move.tp)
        with unavailable():
            async with self._pool.acquire() as connection:
                await self._in_transaction(
                    connection, lambda: self._effect_together(connection, subscription, moves, events)
                )
        self._on_commit()
        topic = parts[0].tp.topic
        self._count(topic, subscription.own, Applied(len(events)), [])
        self._metrics.batch_records.labels(topic).observe(len(events))
        self._metrics.batch_seconds.labels(topic).observe(time.perf_counter() - started)

    async def _effect_together(
        self, connection: Any, subscription: Subscription[Any], moves: list[offsets.Move], events: list[Any]
    ) -> None:
        moving = offsets.move_all(connection, self._consumer, moves)
        await self._metrics.measure(moving, "decide", "sql")
        outcome = await self._metrics.measure(_told(subscription, connection, events), "decide", "sql")
        if outcome.applied != len(events) or outcome.rejected:
            raise Apart

    async def _in_transaction[T](self, connection: Any, work: Callable[[], Awaitable[T]]) -> T:
        with said_after_commit():
            transaction = connection.transaction()
            await transaction.start()
            try:
                result = await work()
            except BaseException:
                await transaction.rollback()
                raise
            await self._metrics.measure(transaction.commit(), "commit")
        return result

    async def _apply(
        self,
        tp: TopicPartition,
        subscription: Subscription[Any],
        records: list[Any],
        decoded: Decoded,
        held: int,
        moved: Callable[[int], None],
    ) -> None:
        end = records[-1].offset + 1
        try:
            await self._commit(tp, subscription, decoded, held, end)
        except (Unavailable, offsets.Overtaken):
            raise
        except Exception as error:  # noqa: BLE001  # whatever one record causes must not stop the others
            self._metrics.retries.labels(type(error).__name__).inc()
            if len(records) == 1:
                await self._alone(tp, subscription, records[0], decoded, held, error)
            else:
                self._log.warning("batch.halved", records=len(records), **_place(tp, records[0].offset), cause=error)
                middle = len(records) // 2
                for half in (records[:middle], records[middle:]):
                    if self._breaker.is_open:
                        return
                    await self._apply(tp, subscription, half, decode_all(subscription, half), held, moved)
                    held = half[-1].offset + 1
                return
        moved(end)

    async def _alone(
        self,
        tp: TopicPartition,
        subscription: Subscription[Any],
        record: Any,
        decoded: Decoded,
        held: int,
        first: Exception,
    ) -> None:
        """Settle a record that failed alone: refused with its code; or tried once more, then INTERNAL."""
        refusal = first if isinstance(first, RejectedEvent) else None
        if refusal is None:
            try:
                return await self._commit(tp, subscription, decoded, held, record.offset + 1)
            except (Unavailable, offsets.Overtaken):
                raise
            except RejectedEvent as error:
                refusal = error
            except Exception as error:  # noqa: BLE001  # the second time, alone: it is this record
                self._log.exception("record.failed", **_place(tp, record.offset))
                refusal = RejectedEvent(dead_letter.INTERNAL, type(error).__name__)
        dead = Decoded([], [], [letter(record, refusal)])
        return await self._commit(tp, subscription, dead, held, record.offset + 1)

    async def _commit(
        self, tp: TopicPartition, subscription: Subscription[Any], decoded: Decoded, held: int, to: int
    ) -> None:
        """Move the position, apply the events, keep the dead letters and the counts: one transaction."""
        with unavailable():
            async with self._pool.acquire() as connection:
                outcome, dead = await self._in_transaction(
                    connection, lambda: self._effect(connection, tp, subscription, decoded, held, to)
                )
        self._on_commit()
        self._count(tp.topic, subscription.own, outcome, dead)

    async def _effect(
        self,
        connection: asyncpg.pool.PoolConnectionProxy,
        tp: TopicPartition,
        subscription: Subscription[Any],
        decoded: Decoded,
        held: int,
        to: int,
    ) -> tuple[Applied, list[dead_letter.DeadLetter]]:
        await self._metrics.measure(offsets.move(connection, self._consumer, tp, held, to), "decide", "sql")
        outcome = Applied()
        if decoded.events:
            outcome = await self._metrics.measure(_told(subscription, connection, decoded.events), "decide", "sql")
        dead = decoded.dead + [letter(decoded.records[index], error) for index, error in outcome.rejected]
        await dead_letter.store(connection, self._consumer, dead)
        counts = (outcome.applied, outcome.repeat, outcome.stale, len(dead))
        await self._metrics.measure(offsets.count(connection, self._consumer, tp, counts), "decide", "sql")
        return outcome, dead

    def _count(self, topic: str, own: bool, outcome: Applied, dead: list[dead_letter.DeadLetter]) -> None:
        found = {"applied": outcome.applied, "repeat": outcome.repeat, "stale": outcome.stale, "dead": len(dead)}
        for name, number in found.items():
            if number:
                self._metrics.events.labels(topic, name).inc(number)
        if dead:
            codes = dict(Counter(d.code for d in dead))
            self._log.warning("records.dead", topic_name=topic, count=len(dead), codes=codes)
        if own:
            self._breaker.count(sum(found.values()), sum(d.code in OURS for d in dead))


async def _told(subscription: Subscription[Any], connection: Any, events: list[Any]) -> Applied:
    return await subscription.apply(connection, events)


def _place(tp: TopicPartition, offset: int) -> dict[str, Any]:
    return {"topic_name": tp.topic, "partition": tp.partition, "offset": offset}
