"""How large a batch of records may become: what the broker gives is looked at before aiokafka unpacks it (0019).

aiokafka unpacks a batch whole, whatever comes of it, and a broker looks at its packed size alone: of 1 MB, which any
client of an inbound topic may send, zstd makes 32 GB, gzip 1 GB and lz4 240 MB (measured, zeros). Snappy makes 22 times
as much at most, and needs no bound of its own.
"""

import gzip
import mmap
import zlib
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

import cramjam
from aiokafka.protocol.fetch import FetchRequest

MOST_BYTES = 32 << 20
"""A batch of 1 MB, as producers are tuned to send, holds some 15 MB of JSON that is much alike."""

NO_CODEC = 7
"""Names no codec. A batch that would become too large is given it: so aiokafka refuses it, and we know why."""

_SIZE_AT, _HEAD, _MAGIC_AT, _CODEC_AT, _RECORDS_AT = 8, 12, 16, 22, 61
_CODECS = 0b111
_GZIP, _LZ4, _ZSTD = 1, 3, 4

type Send = Callable[..., Awaitable[Any]]


def looking(send: Send) -> Send:
    """Return a client's `send` that marks batches which would become too large in the answers to fetches."""

    async def looked(node: int, request: Any, **more: Any) -> Any:
        response = await send(node, request, **more)
        if isinstance(request, FetchRequest):
            response.topics = [
                (topic, [(*told, marked(records or b"")) for *told, records in partitions])
                for topic, partitions in response.topics
            ]
        return response

    return looked


def marked(batches: bytes) -> bytes:
    """Return the batches of a fetch, each that would become larger than `MOST_BYTES` with the codec `NO_CODEC`."""
    changed: bytearray | None = None
    begin = 0
    while (end := _end(batches, begin)) is not None:
        codec = batches[begin + _CODEC_AT] & _CODECS
        if batches[begin + _MAGIC_AT] == 2 and not _fits(codec, memoryview(batches)[begin + _RECORDS_AT : end]):
            changed = changed or bytearray(batches)
            changed[begin + _CODEC_AT] |= NO_CODEC
        begin = end
    return batches if changed is None else bytes(changed)


def _end(batches: bytes, begin: int) -> int | None:
    """Return where the batch that begins here ends; None if it is not there whole."""
    size = int.from_bytes(batches[begin + _SIZE_AT : begin + _HEAD], signed=True)
    end = begin + _HEAD + size
    return end if size >= _RECORDS_AT - _HEAD and end <= len(batches) else None


def _fits(codec: int, packed: memoryview) -> bool:
    if codec == _GZIP:
        return _gzip_fits(packed)
    if codec not in (_LZ4, _ZSTD):
        return True
    unpack = cramjam.zstd.decompress_into if codec == _ZSTD else cramjam.lz4.decompress_into
    with mmap.mmap(-1, MOST_BYTES) as room:  # memory only as far as it is written
        try:
            unpack(packed, room)
        except cramjam.DecompressionError as error:
            return "whole buffer" not in str(error)  # what is damaged is aiokafka's to say
    return True


def _gzip_fits(packed: memoryview) -> bool:
    left = MOST_BYTES
    with gzip.GzipFile(fileobj=BytesIO(packed)) as stream:
        try:
            while left >= 0 and (some := len(stream.read(1 << 20))):
                left -= some
        except (OSError, EOFError, zlib.error):
            return True  # what is damaged is aiokafka's to say
    return left >= 0
