"""How large a batch of records may become: what the broker gives is looked at before aiokafka unpacks it (0019).

aiokafka unpacks a batch whole, whatever comes of it, and a broker looks at its packed size alone: of 1 MB, which any
client of an inbound topic may send, zstd makes 32 GB, gzip 1 GB and lz4 240 MB (measured, zeros). Snappy makes 22 times
as much at most, and needs no bound of its own.
"""

import asyncio
import gzip
import mmap
import zlib
from collections.abc import Awaitable, Callable, Sequence
from io import BytesIO
from typing import Any

import cramjam
from aiokafka.protocol.fetch import FetchRequest

MOST_BYTES = 32 << 20
"""A batch of 1 MB, as producers are tuned to send, holds some 15 MB of JSON that is much alike."""

FETCH_BYTES = 4 * MOST_BYTES
"""All partitions of one fetch together: what is looked through at once."""

NO_CODEC = 7
"""Names no codec. A batch that would become too large is given it: so aiokafka refuses it, and we know why."""

_SIZE_AT, _HEAD, _MAGIC_AT, _CODEC_AT, _RECORDS_AT = 8, 12, 16, 22, 61
_CODECS = 0b111
_GZIP, _LZ4, _ZSTD = 1, 3, 4

_SNAPPY = 2
_SNAPPY_MOST = 22
"""Times its packed size, at most."""

type Send = Callable[..., Awaitable[Any]]


class Allowance:
    """How many more bytes one fetch may unpack to."""

    def __init__(self) -> None:
        self.left = FETCH_BYTES


def looking(send: Send) -> Send:
    """Return a client's `send` that bounds what the answers to fetches unpack to; it looks in a thread of its own."""

    async def looked(node: int, request: Any, **more: Any) -> Any:
        response = await send(node, request, **more)
        if isinstance(request, FetchRequest) and any(told[-1] for _, parts in response.topics for told in parts):
            response.topics = await asyncio.to_thread(_bounded, response.topics)
        return response

    return looked


def _bounded(topics: Sequence[Any]) -> list[Any]:
    allowance = Allowance()
    return [
        (topic, [(*told, within(records or b"", allowance)) for *told, records in partitions])
        for topic, partitions in topics
    ]


def within(batches: bytes, allowance: Allowance) -> bytes:
    """Return the first batches of one partition's answer: those that together unpack to what is allowed.

    They take it from `allowance`, and of one partition no more than `MOST_BYTES`. The first of a fetch is always among
    them; what is cut off is fetched again later. A batch that alone would become larger than `MOST_BYTES` gets the
    codec `NO_CODEC` and is the last, since nothing behind it is read before it is settled.
    """
    begin, left = 0, min(MOST_BYTES, allowance.left)
    while (end := _end(batches, begin)) is not None:
        size = _unpacked(batches, begin, end, left) if left > 0 else None
        if size is None and left < MOST_BYTES:
            return batches[:begin]
        cost = left if size is None else size
        allowance.left -= cost
        left -= cost
        if size is None:
            return _refused(batches[:end], begin)
        begin = end
    return batches


def _refused(batches: bytes, begin: int) -> bytes:
    changed = bytearray(batches)
    changed[begin + _CODEC_AT] |= NO_CODEC
    return bytes(changed)


def _unpacked(batches: bytes, begin: int, end: int, room: int) -> int | None:
    """Return how large a batch becomes; None if larger than `room`, which is no more than `MOST_BYTES`."""
    codec = batches[begin + _CODEC_AT] & _CODECS if batches[begin + _MAGIC_AT] == 2 else 0
    packed = memoryview(batches)[begin + _RECORDS_AT : end]
    if codec == _GZIP:
        return _gzip_size(packed, room)
    if codec in (_LZ4, _ZSTD):
        return _size(codec, packed, room)
    size = min(len(packed) * (_SNAPPY_MOST if codec == _SNAPPY else 1), MOST_BYTES)
    return size if size <= room else None


def _end(batches: bytes, begin: int) -> int | None:
    """Return where the batch that begins here ends; None if it is not there whole."""
    size = int.from_bytes(batches[begin + _SIZE_AT : begin + _HEAD], signed=True)
    end = begin + _HEAD + size
    return end if size >= _RECORDS_AT - _HEAD and end <= len(batches) else None


def _size(codec: int, packed: memoryview, most: int) -> int | None:
    unpack = cramjam.zstd.decompress_into if codec == _ZSTD else cramjam.lz4.decompress_into
    with mmap.mmap(-1, most) as room:  # memory only as far as it is written
        try:
            return int(unpack(packed, room))
        except cramjam.DecompressionError as error:
            return None if "whole buffer" in str(error) else most  # what is damaged is aiokafka's to say


def _gzip_size(packed: memoryview, most: int) -> int | None:
    size = 0
    with gzip.GzipFile(fileobj=BytesIO(packed)) as stream:
        try:
            while size <= most and (some := len(stream.read(1 << 20))):
                size += some
        except (OSError, EOFError, zlib.error):
            return most  # what is damaged is aiokafka's to say
    return size if size <= most else None
