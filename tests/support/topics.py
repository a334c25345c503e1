"""Topics on a real broker: what they hold, and their end."""

import asyncio

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

type Log = list[ConsumerRecord[bytes, bytes]]
"""Records partition by partition, each in its order."""


async def read_topic(bootstrap: str, name: str, partitions: int, isolation_level: str = "read_committed") -> Log:
    """Return every record of a topic that its readers see, or with `read_uncommitted` all that were ever written.

    Args:
        bootstrap: Kafka's address.
        name: The topic's whole name, its prefix included.
        partitions: How many it has.
        isolation_level: Kafka's word for what is seen of transactions.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level=isolation_level,
        auto_offset_reset="earliest",  # a later seek_to_beginning can lose to the reset that assign begins
        max_partition_fetch_bytes=8 << 20,
    )
    await consumer.start()
    try:
        places = [TopicPartition(name, number) for number in range(partitions)]
        consumer.assign(places)
        await broker_known(consumer)
        ends = await consumer.end_offsets(places)
        found: Log = []
        while [place for place in places if await consumer.position(place) < ends[place]]:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += records
        return sorted(found, key=lambda record: (record.partition, record.offset))
    finally:
        await consumer.stop()


async def broker_known(consumer: AIOKafkaConsumer) -> None:
    """Wait out the moment in which a broker that was paused tells its clients of no broker at all."""
    while not consumer._client.cluster.brokers():  # aiokafka asserts that there is one
        await consumer._client.force_metadata_update()
        await asyncio.sleep(0.1)


async def delete_topics(bootstrap: str, *names: str) -> None:
    """Remove topics, by their whole names."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics(list(names))
    finally:
        await admin.close()
