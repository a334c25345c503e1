"""One partition's batch in one transaction; after a failure one by one, so that a single record cannot hold up the rest."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import asyncpg
from aiokafka import TopicPartition

from chassis import dead_letter, logs, offsets
from chassis.breaker import Breaker
from chassis.database import unavailable
from chassis.errors import RejectedEvent, Unavailable
from chassis.metrics import Metrics
from chassis.subscription import Applied, Decoded, Subscription, decode_all, letter

_OURS = frozenset({dead_letter.INTERNAL, "UNKNOWN_TYPE", "UNKNOWN_VERSION", "NO_VALUE", "INVALID"})
"""Reason codes that mean a fault of our own in our own topics; they count for the breaker."""


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

        Args:
            tp: The partition.
            subscription: How its records are read and applied.
            records: In offset order, none below `held`.
            held: The position that PostgreSQL is expected to have.
            moved: Called with the new position after each commit.

        Raises:
            Overtaken: The position was not at `held`: nothing was done.
            Unavailable: Nothing beyond the last `moved` was done; the same records again, later.
        """
        if not records:
            return
        started = time.monotonic()
        cpu = time.thread_time()
        decoded = decode_all(subscription, records)
        self._metrics.stage_cpu_seconds.labels("decode").inc(time.thread_time() - cpu)
        try:
            await self._commit(tp, subscription, decoded, held, records[-1].offset + 1, len(records))
            moved(records[-1].offset + 1)
        except (Unavailable, offsets.Overtaken):
            raise
        except Exception as error:  # noqa: BLE001  # whatever one record causes must not stop the others
            self._log.warning(
                "batch.one_by_one", topic_name=tp.topic, partition=tp.partition, error_name=type(error).__name__
            )
            await self._one_by_one(tp, subscription, records, held, moved)
        self._metrics.batch_records.labels(tp.topic).observe(len(records))
        self._metrics.batch_seconds.labels(tp.topic).observe(time.monotonic() - started)

    async def _one_by_one(
        self,
        tp: TopicPartition,
        subscription: Subscription[Any],
        records: list[Any],
        held: int,
        moved: Callable[[int], None],
    ) -> None:
        for record in records:
            decoded = decode_all(subscription, [record])
            for attempt in (1, 2):
                try:
                    await self._commit(tp, subscription, decoded, held, record.offset + 1, 1)
                    break
                except (Unavailable, offsets.Overtaken):
                    raise
                except RejectedEvent as error:
                    decoded = Decoded([], [], [letter(record, error)])
                except Exception as error:  # noqa: BLE001
                    self._log.exception(
                        "record.failed", topic_name=tp.topic, partition=tp.partition, offset=record.offset
                    )
                    if attempt == 2:
                        failed = RejectedEvent(dead_letter.INTERNAL, type(error).__name__)
                        await self._commit(
                            tp, subscription, Decoded([], [], [letter(record, failed)]), held, record.offset + 1, 1
                        )
            held = record.offset + 1
            moved(held)

    async def _commit(
        self, tp: TopicPartition, subscription: Subscription[Any], decoded: Decoded, held: int, to: int, count: int
    ) -> None:
        with unavailable():
            async with self._pool.acquire() as connection, connection.transaction():
                await offsets.move(connection, self._consumer, tp, held, to)
                outcome = await subscription.apply(connection, decoded.events) if decoded.events else Applied()
                dead = decoded.dead + [letter(decoded.records[i], error) for i, error in outcome.rejected]
                await dead_letter.store(connection, self._consumer, dead)
        self._on_commit()
        self._count(tp.topic, subscription.own, outcome, dead, count)

    def _count(self, topic: str, own: bool, outcome: Applied, dead: list[dead_letter.DeadLetter], count: int) -> None:
        records = self._metrics.events
        found = {"applied": outcome.applied, "repeat": outcome.repeat, "stale": outcome.stale, "dead": len(dead)}
        for name, number in found.items():
            if number:
                records.labels(topic, name).inc(number)
        if dead:
            self._log.warning(
                "records.dead", topic_name=topic, count=len(dead), codes=dict(Counter(d.code for d in dead))
            )
        if own:
            self._breaker.count(count, sum(d.code in _OURS for d in dead))
