"""What the delivery core asks of aiokafka that its public face does not offer, in one place (aiokafka 0.14)."""

import asyncio
import contextlib
import copy
import time
import traceback
from collections.abc import Awaitable, Sequence
from typing import Any

import aiokafka.client
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.fetch import FetchRequest

from chassis.kafka import unpacked_size
from chassis.process.errors import RejectedEvent, Unavailable

type Consumer = AIOKafkaConsumer[bytes, bytes]

FETCH_WAIT_MS = 100
"""A partition left out of a fetch waits so long at most."""
GATHERED_BYTES = 64 * 1024
"""A fetch that gathers is answered at once when so much is there: a backlog is read at full speed."""
QUIET_AFTER_GATHERS = 5

SESSION_TIMEOUT_MS = 10_000
REBALANCE_TIMEOUT_MS = 15_000
"""Longer than a transaction may take (10 s): a revocation waits for the batch in flight."""
ANSWER_TIMEOUT_S = 10
"""A frozen broker gives no error."""
STOP_S = 5
"""How long a client may take to leave its group."""
PARTITION_BYTES = 2 << 20
READ_COMMITTED = 1


def new_consumer(bootstrap: str, group: str | None, session_timeout_ms: int = SESSION_TIMEOUT_MS) -> Consumer:
    """Return a consumer that reads committed records only, commits nothing by itself and never resets a position.

    A batch that would become too large is marked in what it is given: see `chassis.kafka.unpacked_size`. Without a
    group it is to be told its partitions.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="none",  # never jump silently over records that retention removed
        isolation_level="read_committed",
        fetch_max_wait_ms=FETCH_WAIT_MS,
        max_partition_fetch_bytes=PARTITION_BYTES,
        fetch_max_bytes=32 << 20,
        session_timeout_ms=session_timeout_ms,
        heartbeat_interval_ms=session_timeout_ms // 5,
        rebalance_timeout_ms=max(REBALANCE_TIMEOUT_MS, session_timeout_ms),
    )
    consumer._client.send = unpacked_size.looking(consumer._client.send)
    return consumer


class Pace:
    """Lets the broker gather what trickles in, so that many events cost one fetch and one transaction.

    While events come at short intervals the broker is asked to answer after `gather_ms`, or when much is there. When
    nothing came for a while it is to answer at once again: the first event after a pause is never held back.
    """

    def __init__(self, gather_ms: int) -> None:
        self._gather_ms = gather_ms
        self._busy = False
        self._last = 0.0

    def after_fetch(self, consumer: Consumer, *, found: bool) -> None:
        """Choose how the next fetch is to be answered, now that this one brought something or nothing.

        What came of partitions that are busy lies with the client meanwhile.
        """
        found = found or bool(consumer._fetcher._records)
        now = time.monotonic()
        busy = found and now - self._last < QUIET_AFTER_GATHERS * self._gather_ms / 1000
        if found:
            self._last = now
        if busy != self._busy:
            self._busy, fetcher = busy, consumer._fetcher
            fetcher._fetch_min_bytes = GATHERED_BYTES if busy else 1
            fetcher._fetch_max_wait_ms = self._gather_ms if busy else FETCH_WAIT_MS


def is_away(error: BaseException) -> bool:
    """Return whether what a call of aiokafka raised means that Kafka is away, and nothing of ours is wrong.

    aiokafka's client asserts that it knows a broker, and just after one came back the answer about the cluster may name
    none. What its other parts assert is of what we gave them, and what fails in anybody else's code says nothing of
    Kafka, whoever called it.
    """
    return isinstance(error, KafkaError | OSError) or (isinstance(error, AssertionError) and _is_of_the_client(error))


def _is_of_the_client(error: BaseException) -> bool:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].f_globals.get("__name__") == aiokafka.client.__name__


async def in_time[T](asked: Awaitable[T]) -> T:
    """Return Kafka's answer.

    Raises:
        Unavailable: It failed, or did not come within `ANSWER_TIMEOUT_S`.
    """
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            return await asked
    except Exception as error:
        if not is_away(error):
            raise
        raise Unavailable("KAFKA_UNAVAILABLE", f"Kafka: {type(error).__name__}") from error


async def cluster_id(bootstrap: str) -> str:
    """Return the id of the cluster behind `bootstrap`."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=ANSWER_TIMEOUT_S * 1000)
    try:
        await in_time(admin.start())
        return str((await in_time(admin.describe_cluster()))["cluster_id"])
    finally:
        with contextlib.suppress(KafkaError, OSError):
            async with asyncio.timeout(STOP_S):
                await admin.close()


async def bounds(consumer: Consumer, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
    """Return each partition's first offset, and the end of what is committed in it."""
    first = await in_time(consumer.beginning_offsets(partitions))
    end = await ends(consumer, partitions)
    return {tp: (first[tp], end[tp]) for tp in partitions}


async def ends(consumer: Consumer, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    """Return the end of what is committed in each partition."""
    found: dict[TopicPartition, int] = await in_time(consumer.end_offsets(partitions))
    return found


async def bounds_of(bootstrap: str, tp: TopicPartition) -> tuple[int, int]:
    """Return one partition's first offset and end, asked by a client of its own that joins no group."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed")
    try:
        await in_time(consumer.start())
        if tp.partition not in await in_time(consumer._client._wait_on_metadata(tp.topic)):
            raise RejectedEvent("NO_PARTITION", f"Kafka has no {tp.topic}[{tp.partition}]")
        return (await bounds(consumer, [tp]))[tp]
    finally:
        await stop(consumer)


async def raw_batch(consumer: Consumer, tp: TopicPartition, offset: int) -> bytes:
    """Return the bytes of a partition from the batch on that holds `offset`, as the broker gives them."""
    client = consumer._client
    wanted = [(tp.topic, [(tp.partition, offset, PARTITION_BYTES)])]
    request = FetchRequest(FETCH_WAIT_MS, 1, PARTITION_BYTES, READ_COMMITTED, wanted, rack_id="")
    response = await in_time(client.send(client.cluster.leader_for_partition(tp), request))
    ((_, ((_, code, _, *rest),)),) = response.topics
    if code:
        raise RejectedEvent("KAFKA_REFUSES", f"Kafka does not give it: {for_code(code).__name__}")
    return bytes(rest[-1] or b"")


async def abandon(consumer: Consumer) -> None:
    """End what a client left running that did not stop in time, or its membership would live on beside the next."""
    coordinator, fetcher = consumer._coordinator, consumer._fetcher
    parts = (coordinator, "_coordination_task"), (coordinator, "_heartbeat_task"), (fetcher, "_fetch_task")
    tasks = [task for part, name in parts if (task := getattr(part, name, None)) is not None and not task.done()]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=STOP_S)
    with contextlib.suppress(KafkaError, OSError):
        async with asyncio.timeout(STOP_S):
            await consumer._client.close()


async def stop(consumer: Consumer) -> None:
    """Leave the group and end the client; by force if it does not in time."""
    try:
        async with asyncio.timeout(STOP_S):
            await consumer.stop()
    except (KafkaError, OSError):
        await abandon(consumer)


async def written(consumer: Consumer, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    """Return each partition's end, what is not committed yet counted.

    Kafka calls a transaction committed before it can be read: its markers are written afterwards. Until then the
    end that the consumer itself is told (isolation level read_committed) lies before it.
    """
    asking: Any = copy.copy(consumer._fetcher)  # the level is the fetcher's, not the question's
    asking._isolation_level = 0  # read_uncommitted
    ends: dict[TopicPartition, int] = await in_time(asking.end_offsets(partitions, ANSWER_TIMEOUT_S * 1000))
    return ends


def progress(consumer: Consumer, tp: TopicPartition) -> tuple[int, int | None]:
    """Return the fetch position, and the end as of the last fetch: (0, None) while there is neither.

    The position passes commit markers, which are never delivered.
    """
    subscription: Any = consumer._subscription.subscription
    state = None if subscription is None or subscription.assignment is None else subscription.assignment.state_value(tp)
    if state is None or not state.has_valid_position:
        return 0, None
    return state.position, state.highwater if state.lso in (None, -1) else state.lso
