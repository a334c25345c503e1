"""Where to read newly assigned partitions from: PostgreSQL says, and Kafka must be able to give it."""

import asyncio
from collections.abc import Sequence

import asyncpg
from aiokafka import TopicPartition

from chassis import kafka, offsets
from chassis.errors import Misconfigured

BOUNDS_LOOKS = 4
"""How often an end below our position is looked at, a second apart: a broker just started may be behind itself."""


async def places(
    pool: asyncpg.Pool, name: str, consumer: kafka.Consumer, bootstrap: str, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, tuple[int, int]]:
    """Return each partition's (position, first offset there is).

    Args:
        pool: The service's pool.
        name: Whose positions.
        consumer: To ask for the partitions' bounds.
        bootstrap: To ask for the cluster's id.
        partitions: The partitions assigned.

    Raises:
        Misconfigured: It is another cluster, the topic was made anew, or records are gone that were never read.
        Unavailable: PostgreSQL or Kafka does not answer.
    """
    await offsets.check_cluster(pool, await kafka.cluster_id(bootstrap))
    for look in range(1, BOUNDS_LOOKS + 1):
        found = await offsets.read(pool, name, partitions)
        bounds = await kafka.bounds(consumer, partitions)
        try:
            for tp in partitions:
                offsets.check_bounds(tp, found[tp], *bounds[tp])
        except Misconfigured:
            if look == BOUNDS_LOOKS:
                raise
            await asyncio.sleep(1)
        else:
            break
    return {tp: (found[tp], bounds[tp][0]) for tp in partitions}
