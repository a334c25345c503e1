"""What would become too large is marked before anything of it is unpacked (0019)."""

import gzip
from collections.abc import Callable

import cramjam
import pytest
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy

from chassis.unpacking import MOST_BYTES, NO_CODEC, marked

PLAIN, GZIP, SNAPPY, LZ4, ZSTD = range(5)
PACK: dict[int, Callable[[bytes], bytes]] = {
    PLAIN: bytes,
    GZIP: gzip.compress,
    SNAPPY: lambda raw: bytes(cramjam.snappy.compress_raw(raw)),
    LZ4: lambda raw: bytes(cramjam.lz4.compress(raw)),
    ZSTD: lambda raw: bytes(cramjam.zstd.compress(raw)),
}
PACKED = [GZIP, LZ4, ZSTD]


def batch(codec: int, packed: bytes) -> bytes:
    head = bytearray(_DefaultRecordBatchPy.HEADER_STRUCT.size)
    head[8:12] = (len(head) - 12 + len(packed)).to_bytes(4)
    head[16], head[22] = 2, codec
    return bytes(head) + packed


def codec_of(one: bytes) -> int:
    return int(DefaultRecordBatch(one).compression_type)


@pytest.mark.parametrize("codec", PACKED)
@pytest.mark.parametrize(("size", "fits"), [(MOST_BYTES, True), (MOST_BYTES + 1, False), (8 * MOST_BYTES, False)])
def test_a_batch_is_marked_if_it_would_be_larger_than_the_bound(codec: int, size: int, fits: bool) -> None:
    one = batch(codec, PACK[codec](bytes(size)))

    assert codec_of(marked(one)) == (codec if fits else NO_CODEC)


@pytest.mark.parametrize("codec", PACKED)
def test_all_frames_of_a_batch_count_together(codec: int) -> None:
    half = PACK[codec](bytes(MOST_BYTES // 2 + 1))

    assert codec_of(marked(batch(codec, half + half))) == NO_CODEC


@pytest.mark.parametrize("codec", PACK)
def test_whatever_stands_around_it_only_what_is_too_large_is_changed(codec: int) -> None:
    other, large = (
        batch(codec, PACK[codec](b"what a client sends" * 99)),
        batch(ZSTD, PACK[ZSTD](bytes(MOST_BYTES + 1))),
    )

    found = marked(other + large + other)

    assert found[: len(other)] == found[-len(other) :] == other
    assert codec_of(found[len(other) : -len(other)]) == NO_CODEC


@pytest.mark.parametrize("codec", PACK)
def test_what_is_damaged_or_not_there_whole_is_left_to_whoever_reads_it(codec: int) -> None:
    whole = batch(codec, PACK[codec](b"what a client sends" * 99))
    odd = [b"", whole[:5], whole[:30], whole[:-1], whole + whole[:40], batch(codec, b"junk"), batch(codec, b"")]
    odd += [whole[:8] + size.to_bytes(4, signed=True) + whole[12:] for size in (-1, 0, 3, 2**31 - 1)]
    odd.append(batch(codec, PACK[codec](b"what a client sends" * 99)[:-4]))

    assert [marked(one) for one in odd] == odd


def test_the_batches_of_an_older_format_are_left_alone() -> None:
    one = bytearray(batch(ZSTD, PACK[ZSTD](bytes(MOST_BYTES + 1))))
    one[16] = 1

    assert marked(bytes(one)) == one
