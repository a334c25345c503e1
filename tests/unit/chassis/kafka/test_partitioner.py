"""Keys lie where every other Kafka client would put them."""

import random
import uuid

from aiokafka.partitioner import DefaultPartitioner
from aiokafka.partitioner import murmur2 as reference

from chassis.kafka.partitioner import murmur2, partition_of


def test_it_hashes_as_java_does() -> None:
    """Values from Kafka's own UtilsTest."""
    known = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536, b"": 275646681}

    assert {key: murmur2(key) - (1 << 32 if murmur2(key) >> 31 else 0) for key in known} == known


def test_it_agrees_with_the_client_for_keys_of_every_length() -> None:
    chance = random.Random(7)
    for length in range(64):
        for _ in range(20):
            key = chance.randbytes(length)
            assert murmur2(key) == reference(key) & 0xFFFFFFFF


def test_an_id_goes_to_the_partition_that_the_client_would_choose() -> None:
    numbers = list(range(12))
    for _ in range(200):
        key = str(uuid.uuid4()).encode()
        assert partition_of(key, 12) == DefaultPartitioner()(key, numbers, numbers)
