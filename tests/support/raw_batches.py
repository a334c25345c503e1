"""Batches of records as only a strange client writes them: the broker takes them, whatever they hold."""

from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import NotLeaderForPartitionError
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from tests.support.waiting import until

PLAIN, GZIP, SNAPPY, LZ4, ZSTD = range(5)

type Content = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes | None]]]
"""Key, value and headers."""


class NotText(str):
    """A header's name that is written as these bytes."""

    __slots__ = ()

    def encode(self, *_: object, **__: object) -> bytes:
        return super().encode("latin-1")


def batch(*records: Content, codec: int = PLAIN, odd_attributes: bool = False) -> bytes:
    """Return a batch of these records.

    Args:
        records: What it holds.
        codec: How it is packed.
        odd_attributes: The first record's attributes, which mean nothing, are 128: Kafka passes over them, aiokafka
            takes them for the beginning of a longer number and, for keys like `key`, cannot read the batch.
    """
    builder = _DefaultRecordBatchBuilderPy(2, codec, 0, -1, -1, -1, 1 << 30)
    for number, (key, value, headers) in enumerate(records):
        builder.append(number, None, key, value, list(headers))
    if odd_attributes:
        builder._buffer[builder.HEADER_STRUCT.size + 1] = 128  # behind its length, which is one byte
    return bytes(builder.build())


async def append_raw(bootstrap: str, topic: str, raw: bytes, partition: int) -> None:
    """Append a batch to one partition of any topic as it is."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as sender:
        await _send(sender, topic, partition, raw)


async def _send(sender: AIOKafkaProducer, topic: str, partition: int, raw: bytes) -> None:
    await sender.partitions_for(topic)
    (node,) = (broker.nodeId for broker in sender.client.cluster.brokers())
    request = ProduceRequest(None, -1, 10_000, [(topic, [(partition, raw)])])

    async def taken() -> bool:
        """A topic that was just made has no leader yet."""
        response = await sender.client.send(node, request)
        ((_, ((_, code, *_),)),) = response.topics
        assert code in (0, NotLeaderForPartitionError.errno), code
        return bool(code == 0)

    await until(taken)
