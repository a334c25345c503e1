"""What would become too large is marked before anything of it is unpacked (0019)."""

import gzip
from collections.abc import Callable
from types import SimpleNamespace

import cramjam
import pytest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy

from chassis.kafka.unpacked_size import FETCH_BYTES, MOST_BYTES, NO_CODEC, Allowance, looking, within

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


def marked(batches: bytes) -> bytes:
    return within(batches, Allowance())


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
def test_what_is_too_large_is_read_alone_and_nothing_around_it_is_changed(codec: int) -> None:
    other, large = (
        batch(codec, PACK[codec](b"what a client sends" * 99)),
        batch(ZSTD, PACK[ZSTD](bytes(MOST_BYTES + 1))),
    )

    assert marked(other + large + other) == other
    found = marked(large + other)
    assert (len(found), codec_of(found)) == (len(large), NO_CODEC)


@pytest.mark.parametrize("codec", PACKED)
def test_of_many_small_batches_only_those_are_given_that_unpack_to_the_bound_together(codec: int) -> None:
    small = batch(codec, PACK[codec](bytes(MOST_BYTES // 4)))

    assert marked(small * 500) == small * 4


@pytest.mark.parametrize("codec", PACKED)
def test_damaged_batches_are_given_one_at_a_time(codec: int) -> None:
    damaged = batch(codec, PACK[codec](bytes(MOST_BYTES))[:-4])

    assert marked(damaged * 500) == damaged


@pytest.mark.parametrize("codec", PACKED)
def test_what_is_too_large_is_read_no_further_than_the_bound_to_know_it(codec: int) -> None:
    """So that damage beyond it is not come to."""
    one = batch(codec, PACK[codec](bytes(2 * MOST_BYTES))[:-4])

    assert codec_of(marked(one)) == NO_CODEC


async def test_answers_to_other_requests_are_handed_on_as_they_are() -> None:
    answer = SimpleNamespace(topics=[("a topic", "of its metadata")])

    async def send(_node: int, _request: object) -> SimpleNamespace:
        return answer

    assert await looking(send)(1, object()) is answer
    assert answer.topics == [("a topic", "of its metadata")]


def test_many_batches_of_nothing_or_of_plain_bytes_are_all_given() -> None:
    many = batch(PLAIN, b"") * 999 + batch(PLAIN, b"what a client sends" * 99) * 99

    assert marked(many) == many


async def test_all_partitions_of_a_fetch_share_a_bound_and_the_first_of_them_always_gets_something() -> None:
    large = batch(ZSTD, PACK[ZSTD](bytes(MOST_BYTES)))
    topics = [("t", [(n, 0, 0, large * 9) for n in range(12)]), ("u", [(0, 0, 0, None), (1, 0, 0, large)])]

    async def send(_node: int, _request: FetchRequest) -> SimpleNamespace:
        return SimpleNamespace(topics=topics)

    response = await looking(send)(1, FetchRequest(1, 1, 1, 1, [], rack_id=""))

    given = [(topic, number, records) for topic, parts in response.topics for number, _, _, records in parts]
    first = FETCH_BYTES // MOST_BYTES
    assert given[:first] == [("t", n, large) for n in range(first)]
    assert {records for _, _, records in given[first:]} == {b""}


async def test_what_is_marked_counts_among_what_a_fetch_may_unpack_to() -> None:
    large = batch(ZSTD, PACK[ZSTD](bytes(MOST_BYTES + 1)))

    async def send(_node: int, _request: FetchRequest) -> SimpleNamespace:
        return SimpleNamespace(topics=[("t", [(n, 0, 0, large) for n in range(12)])])

    response = await looking(send)(1, FetchRequest(1, 1, 1, 1, [], rack_id=""))

    ((_, parts),) = response.topics
    given = [records for *_, records in parts]
    first = FETCH_BYTES // MOST_BYTES
    assert [codec_of(records) for records in given[:first]] == [NO_CODEC] * first
    assert set(given[first:]) == {b""}


@pytest.mark.parametrize(("codec", "size", "given"), [(PLAIN, MOST_BYTES // 3, 3), (SNAPPY, MOST_BYTES // 40, 1)])
def test_plain_bytes_count_as_they_are_and_those_of_snappy_as_the_most_that_they_can_become(
    codec: int, size: int, given: int
) -> None:
    one = batch(codec, bytes(size))

    assert marked(one * 5) == one * given


def test_a_batch_that_is_not_there_whole_takes_nothing_of_what_is_allowed() -> None:
    allowance = Allowance()
    torn = batch(PLAIN, bytes(MOST_BYTES // 2))[:-1]

    assert within(torn, allowance) == torn
    assert allowance.left == FETCH_BYTES


def test_no_batch_of_snappy_is_marked_for_what_it_might_become() -> None:
    one = batch(SNAPPY, bytes(MOST_BYTES // 4))

    assert marked(one * 2) == one


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
