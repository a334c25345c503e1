"""Outgoing events: written in the transaction of their cause, published by a relay until acknowledged (design §3).

Rows are selected *unpublished* and deleted when acknowledged, never by a high-water id: ids commit out of order.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import orjson

from chassis import logs
from chassis.clock import Clock
from chassis.database import Connection, unavailable
from chassis.errors import RejectedEvent, Unavailable
from chassis.metrics import Metrics
from chassis.producer import Publisher, Record
from chassis.settings import ServiceSettings
from schemas.envelope import Envelope
from schemas.topics import Topic

ROUND = 5_000
"""Rows a round publishes at most: about 4 MB, well inside the deadline."""
ACK_DEADLINE_S = 4.0
"""A frozen broker gives no error. Below the role's idle_in_transaction_session_timeout (8 s)."""
MAX_VALUE_BYTES = 900_000
"""Kafka takes 1,048,588 bytes with headers and framing, unless told otherwise."""
POLL_S = 0.05
"""Between looks when nobody wakes the relay."""
GATHER_S = 0.005
"""From the start of a round that published to the start of the next: what is committed meanwhile shares it. A round
costs five trips to the database and one to the broker, however few its rows; after a pause there is no wait."""

_ENQUEUE = """
INSERT INTO outbox (topic, key, headers, value)
SELECT topic, key, headers, value
FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::bytea[]) WITH ORDINALITY AS event (topic, key, headers, value, n)
ORDER BY n
"""
_UNPUBLISHED = """
SELECT id, topic, key, headers, value, extract(epoch FROM clock_timestamp() - created_at)::float8 AS age_s
FROM outbox WHERE topic = ANY($1::text[]) ORDER BY id LIMIT $2
"""
_WAITING = "SELECT EXISTS (SELECT FROM outbox WHERE topic = ANY($1::text[]))"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event to publish. `value` None is a tombstone."""

    topic: Topic
    key: str
    envelope: Envelope
    value: bytes | None


async def enqueue(connection: Connection, events: Sequence[Outgoing]) -> None:
    """Add events to the outbox, in the order given, in the caller's transaction.

    Events of one entity are to be enqueued under its row lock, so that their ids are in order.

    Raises:
        RejectedEvent: EVENT_TOO_LARGE: Kafka would never take it, and it would hold up all that follow.
    """
    if any(e.value is not None and len(e.value) > MAX_VALUE_BYTES for e in events):
        raise RejectedEvent("EVENT_TOO_LARGE", f"an outgoing event is larger than {MAX_VALUE_BYTES} bytes")
    if events:
        await connection.execute(
            _ENQUEUE,
            [e.topic.name for e in events],
            [e.key.encode() for e in events],
            [orjson.dumps([(name, value.decode()) for name, value in e.envelope.headers()]) for e in events],
            [e.value for e in events],
        )


class Relay:
    """Publishes the outbox of one schema. Any number may run; one at a time has a round.

    Args:
        pool: The service's pool.
        settings: Where Kafka is.
        metrics: Outbox age and published counts go there.
        clock: Unused for decisions; ages are the database's.
        topics: The topics this relay serves.
        transactional_id: For compacted topics: a relay that was frozen must not append an old version last.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        settings: ServiceSettings,
        metrics: Metrics,
        clock: Clock,
        topics: Sequence[Topic],
        transactional_id: str | None = None,
    ) -> None:
        self._pool = pool
        self._metrics = metrics
        self._topics = [t.name for t in topics]
        self._publisher = Publisher(settings.kafka_bootstrap_servers, settings.topic_prefix, transactional_id)
        self._lock = "relay of " + ",".join(self._topics)
        self._wanted = asyncio.Event()
        self._log = logs.get_logger()
        self._failing: str | None = None

    def wake(self) -> None:
        """Say that something was committed to the outbox."""
        self._wanted.set()

    def reason(self) -> str | None:
        """Why events do not leave now, or None."""
        return self._failing

    async def idle(self) -> bool:
        """Whether nothing waits to be published."""
        with unavailable():
            return not await self._pool.fetchval(_WAITING, self._topics)

    async def age_s(self) -> float:
        """Seconds that the oldest unpublished event has waited; 0 when none does."""
        with unavailable():
            age = await self._pool.fetchval(
                "SELECT extract(epoch FROM clock_timestamp() - min(created_at)) FROM outbox "
                "WHERE topic = ANY($1::text[])",
                self._topics,
            )
        return float(age or 0)

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop`, then once more what is left."""
        stopping = asyncio.create_task(self._wake_at(stop))
        delay = POLL_S
        try:
            while not stop.is_set():
                woken = self._wanted.is_set()
                self._wanted.clear()
                began = time.monotonic()
                try:
                    published = await self.round() if woken or await self._waiting() else 0
                    self._failing, delay = None, POLL_S
                except Unavailable as error:
                    if self._failing is None:
                        self._log.warning("outbox.unavailable", code=error.code, reason_text=error.message)
                    self._failing, published, delay = error.message, 0, min(delay * 2, 2.0)
                if published < ROUND:
                    await self._pause(delay)
                    if published and (rest := began + GATHER_S - time.monotonic()) > 0:
                        await asyncio.sleep(rest)
            await self._last_round()
        finally:
            stopping.cancel()
            await self._publisher.close()

    async def _waiting(self) -> bool:
        """Look, in one trip, whether there is anything for a round."""
        with unavailable():
            if await self._pool.fetchval(_WAITING, self._topics):
                return True
        self._metrics.outbox_age.set(0)
        return False

    async def round(self) -> int:
        """Publish what waits, up to `ROUND` rows; return how many were acknowledged and deleted.

        Raises:
            Unavailable: Kafka or PostgreSQL is not there, or did not acknowledge in time.
        """
        with unavailable():
            async with self._pool.acquire() as connection, connection.transaction():
                if not await connection.fetchval("SELECT pg_try_advisory_xact_lock(hashtext($1))", self._lock):
                    return 0
                rows = await connection.fetch(_UNPUBLISHED, self._topics, ROUND)
                if not rows:
                    self._metrics.outbox_age.set(0)
                    return 0
                self._metrics.outbox_age.set(rows[0]["age_s"])
                records = [Record(r["topic"], r["key"], r["value"], headers(r["headers"])) for r in rows]
                acknowledged = await self._publisher.publish(records, ACK_DEADLINE_S)
                ids = [row["id"] for row, done in zip(rows, acknowledged, strict=True) if done]
                await connection.execute("DELETE FROM outbox WHERE id = ANY($1::bigint[])", ids)
        published = Counter(record.topic for record, done in zip(records, acknowledged, strict=True) if done)
        for name, count in published.items():
            self._metrics.published.labels(name).inc(count)
        if len(ids) < len(rows):
            self._metrics.outbox_failures.labels("KAFKA_UNAVAILABLE").inc()
            raise Unavailable("KAFKA_UNAVAILABLE", f"Kafka acknowledged {len(ids)} of {len(rows)} events")
        return len(ids)

    async def _pause(self, delay: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._wanted.wait()

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wanted.set()

    async def _last_round(self) -> None:
        try:
            while await self.round() == ROUND:
                pass
        except Unavailable as error:
            self._log.warning("outbox.left_unpublished", code=error.code)


def headers(stored: bytes) -> list[tuple[str, bytes]]:
    """Return Kafka headers from the outbox's form."""
    return [(name, value.encode()) for name, value in orjson.loads(stored)]
