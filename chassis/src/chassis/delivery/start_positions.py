"""Where to read newly assigned partitions from: PostgreSQL says, and Kafka must be able to give it."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition

from chassis.delivery import offsets
from chassis.kafka import broker
from chassis.kafka.halt import Halt
from chassis.postgres.database import Pool


@dataclass(frozen=True, slots=True)
class Place:
    """Where one partition goes on.

    Attributes:
        halt: Why nothing can be read there, or None.
    """

    position: int
    first: int
    halt: Halt | None = None


async def places(
    pool: Pool,
    name: str,
    consumer: broker.Consumer,
    bootstrap: str,
    partitions: Sequence[TopicPartition],
) -> dict[TopicPartition, Place]:
    """Return each partition's place."""
    await offsets.check_cluster(pool, await broker.cluster_id(bootstrap))
    found = await offsets.read(pool, name, partitions)
    bounds = await broker.bounds(consumer, partitions)
    return {tp: _place(found[tp], *bounds[tp]) for tp in partitions}


def _place(position: int, first: int, end: int) -> Place:
    wrong = offsets.out_of_bounds(position, first, end)
    return Place(position, first, None if wrong is None else Halt(position, *wrong, in_records=False))
