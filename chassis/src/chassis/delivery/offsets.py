"""The consumer's position, kept in PostgreSQL beside the effect, and moved by compare-and-set (design §3)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition

from chassis.postgres.columns import columns
from chassis.postgres.database import Connection, Pool
from chassis.process.errors import Misconfigured

_MOVE = """
UPDATE consumer_offset AS held SET next_offset = new.next_offset, applied = held.applied + new.records
FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::int[])
    AS new (topic, partition, position, next_offset, records)
WHERE held.consumer = $1 AND held.topic = new.topic AND held.partition = new.partition
  AND held.next_offset = new.position
RETURNING held.partition
"""
_RECOUNT = """
UPDATE consumer_offset AS held
SET applied = held.applied - new.repeat - new.stale - new.dead,
    repeat = held.repeat + new.repeat, stale = held.stale + new.stale, dead = held.dead + new.dead
FROM unnest($2::text[], $3::int[], $4::int[], $5::int[], $6::int[]) AS new (topic, partition, repeat, stale, dead)
WHERE held.consumer = $1 AND held.topic = new.topic AND held.partition = new.partition
"""
_ADD = """
INSERT INTO consumer_offset (consumer, topic, partition, next_offset)
SELECT $1, topic, partition, 0 FROM unnest($2::text[], $3::int[]) AS t (topic, partition)
ORDER BY 2, 3 ON CONFLICT DO NOTHING
"""
_READ = """
SELECT topic, partition, next_offset FROM consumer_offset WHERE consumer = $1 AND topic = ANY($2::text[])
"""


class Overtaken(Exception):
    """The position moved under us: another owner is ahead, or our own last commit did land. Both are safe."""


@dataclass(frozen=True, slots=True)
class Move:
    """One partition's step: from the position in PostgreSQL to the next one, over so many records."""

    tp: TopicPartition
    held: int
    to: int
    records: int


async def move(connection: Connection, consumer: str, moves: Iterable[Move]) -> None:
    """Move the positions, and count the records as applied, in the transaction of the effect: all or none.

    Raises:
        Overtaken: One of them is another by now; the transaction is to be rolled back.
    """
    moves = sorted(moves, key=lambda move: move.tp)
    moved = await connection.fetch(
        _MOVE,
        consumer,
        *columns(moves, "tp.topic", "tp.partition", "held", "to", "records"),
    )
    if len(moved) != len(moves):
        raise Overtaken


async def recount(connection: Connection, consumer: str, counts: Mapping[TopicPartition, tuple[int, int, int]]) -> None:
    """Count so many of the records just moved over as repeat, stale, dead instead of applied (I3)."""
    if counts:
        topics, numbers = [tp.topic for tp in counts], [tp.partition for tp in counts]
        await connection.execute(_RECOUNT, consumer, topics, numbers, *map(list, zip(*counts.values(), strict=True)))


async def read(pool: Pool, consumer: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    """Return the next offset of each partition; a partition never seen starts at 0."""
    topics, numbers = [tp.topic for tp in partitions], [tp.partition for tp in partitions]
    async with pool.transaction() as connection:
        await connection.execute(_ADD, consumer, topics, numbers)
        rows = await connection.fetch(_READ, consumer, topics)
    found = {TopicPartition(r["topic"], r["partition"]): r["next_offset"] for r in rows}
    return {tp: found[tp] for tp in partitions}


async def check_cluster(pool: Pool, cluster_id: str) -> None:
    """Remember the cluster at the first start; later refuse another one under the same database."""
    await pool.execute("INSERT INTO kafka_cluster (cluster_id) VALUES ($1) ON CONFLICT DO NOTHING", cluster_id)
    known = await pool.fetchval("SELECT cluster_id FROM kafka_cluster")
    if known != cluster_id:
        raise Misconfigured(
            f"this database's offsets belong to Kafka cluster {known}, the broker is {cluster_id}. Point the service "
            "at its own cluster; or, if the cluster was rebuilt, restore its topics, or empty consumer_offset and "
            "kafka_cluster to read them from their start (repeats are harmless)"
        )


def out_of_bounds(position: int, first: int, end: int) -> tuple[str, int] | None:
    """Say why nothing can be read at this position, and where reading could go on; None if it can be read.

    Either records were lost by retention before they were read, or the topic was made anew.
    """
    if position > end:
        why = f"it ends at {end}, before our position {position}: the topic was re-created"
        return f"{why}. Restore it, or read the one there is from its start (repeats are harmless)", first
    if 0 < position < first:
        why = f"it begins at {first}, after our position {position}: retention removed records that were never read"
        return f"{why}. Restore them, or go on without", first
    return None
