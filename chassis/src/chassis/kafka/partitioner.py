"""Which partition a key belongs to, as every Kafka client in Java decides: murmur2 of the key.

aiokafka's own goes byte by byte and takes a third of what publishing an event costs; word by word is half of that.
"""

from functools import cache
from struct import Struct

_SEED = 0x9747B28C
_M = 0x5BD1E995
_WORD = 0xFFFFFFFF


@cache
def _words(count: int) -> Struct:
    return Struct(f"<{count}I")


def murmur2(key: bytes) -> int:
    """Return the hash of `key`, unsigned."""
    length = len(key)
    whole = length >> 2
    h = _SEED ^ length
    for k in _words(whole).unpack_from(key):
        k = k * _M & _WORD
        h = (h * _M & _WORD) ^ ((k ^ k >> 24) * _M & _WORD)
    rest = key[whole << 2 :]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * _M & _WORD
    h = (h ^ h >> 13) * _M & _WORD
    return h ^ h >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of `key` among so many."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
