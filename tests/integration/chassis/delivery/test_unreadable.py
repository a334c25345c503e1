"""What cannot be read of one partition never holds up the others, and is not passed over unseen (G8)."""

from typing import Any

import asyncpg
import orjson
import pytest

from chassis.delivery import dead_letter
from chassis.delivery.replay import replay
from chassis.kafka import unpacked_size
from chassis.process.errors import RejectedEvent
from tests.integration.chassis.delivery.command import command
from tests.integration.chassis.ledger.apply import SUBSCRIPTION
from tests.integration.chassis.ledger.service import LedgerService, orders, running
from tests.support.raw_batches import GZIP, LZ4, PLAIN, SNAPPY, ZSTD, Content, NotText, batch
from tests.support.waiting import until


def order(number: int, *headers: tuple[str, bytes | None]) -> Content:
    return b"key", orjson.dumps(orders(1, first=number)[0]), headers


@pytest.mark.parametrize("codec", [PLAIN, GZIP, SNAPPY, LZ4, ZSTD])
async def test_every_codec_of_kafka_is_read(ledger: LedgerService, codec: int) -> None:
    await ledger.append(batch(order(0), order(1), codec=codec))

    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(2))

    assert await ledger.effects() == [(0, 0), (0, 1)]


@pytest.mark.parametrize("codec", [PLAIN, ZSTD])
@pytest.mark.parametrize("name", ["caf\xe9", "\xff\xfe", "\xed\xa0\x80", "\x00\x80"])
async def test_a_header_name_that_is_not_utf8_makes_that_record_alone_a_dead_letter(
    ledger: LedgerService, codec: int, name: str
) -> None:
    strange = order(2, ("client", b"x"), (NotText(name), b"\x00"), (NotText(name), None))
    await ledger.append(batch(order(0), order(1), strange, order(3), codec=codec))
    await ledger.append(batch(order(4)))
    await ledger.produce(orders(3, first=10), partition=1)
    consumer = ledger.consumer()

    async with running(consumer):
        await until(lambda: ledger.consumed(5, 3))
        assert await consumer.idle()

    assert await ledger.dead() == [(2, "HEADER_NOT_UTF8")]
    assert await ledger.effects() == [(0, n) for n in (0, 1, 3, 4)] + [(1, n) for n in range(3)]
    (letter,) = await dead_letter.listed(ledger.pool)
    kept = [(held.encode("utf-8", "surrogateescape"), value) for held, value in letter.headers]
    assert kept == [(b"client", b"x"), (name.encode("latin-1"), b"\x00"), (name.encode("latin-1"), None)]
    assert (letter.key, letter.value) == strange[:2]
    assert letter.id is not None
    with pytest.raises(RejectedEvent, match="HEADER_NOT_UTF8"):
        await replay(ledger.pool, [SUBSCRIPTION], ledger.prefix, letter.id)


async def test_a_batch_that_cannot_be_read_stops_its_partition_alone_and_says_the_way_out(
    ledger: LedgerService,
) -> None:
    await ledger.produce(orders(3))
    await ledger.append(batch(order(3), order(4), odd_attributes=True))
    await ledger.produce(orders(3, first=5))
    await ledger.produce(orders(3, first=10), partition=1)
    consumer = ledger.consumer()

    async with running(consumer):
        await until(lambda: "orders[0] stands at 3" in (consumer.reason() or ""))
        assert (
            f"CorruptRecordException. To go on without: attend dead-letters skip ledger {ledger.topic} 0 --to 5"
            in str(consumer.reason())
        )
        await until(lambda: ledger.consumed(3, 3))
        await ledger.produce(orders(300, first=100), partition=1)
        await until(lambda: ledger.consumed(3, 303), what="the other partition goes on")
        assert not await consumer.idle()

    assert (await ledger.positions())[0] == 3
    assert await ledger.dead() == []


@pytest.mark.parametrize("codec", [GZIP, LZ4, ZSTD])
async def test_a_batch_that_would_become_too_large_is_not_unpacked_and_stops_its_partition_alone(
    ledger: LedgerService, codec: int
) -> None:
    """A client's few kilobytes that would become gigabytes: the broker looks at their packed size alone."""
    large = (b"key", bytes(unpacked_size.MOST_BYTES), ())
    await ledger.produce(orders(3))
    await ledger.append(batch(order(3), large, codec=codec))
    await ledger.produce(orders(3, first=5))
    await ledger.produce(orders(3, first=10), partition=1)
    consumer = ledger.consumer()

    async with running(consumer):
        await until(lambda: "orders[0] stands at 3" in (consumer.reason() or ""))
        way_out = f"attend dead-letters skip ledger {ledger.topic} 0 --to 5"
        assert f"unpacked it is larger than 32 MiB. To go on without: {way_out}" in str(consumer.reason())
        await until(lambda: ledger.consumed(3, 3))


async def test_small_batches_that_unpack_to_much_are_taken_a_few_at_a_time_and_all_of_them(
    ledger: LedgerService,
) -> None:
    """Each is allowed, and many of them are in one answer of the broker: what is cut off there is fetched again."""
    inflated = batch((b"key", bytes(unpacked_size.MOST_BYTES // 3), ()), codec=ZSTD)
    for _ in range(7):
        await ledger.append(inflated)
    await ledger.produce(orders(3, first=7))
    await ledger.produce(orders(3, first=10), partition=1)

    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(10, 3))

    assert await ledger.dead() == [(n, "INVALID") for n in range(7)]
    assert await ledger.effects() == [(0, 7), (0, 8), (0, 9), (1, 0), (1, 1), (1, 2)]


SKIP = ("--by", "ann", "--reason", "the sender wrote what nobody can read; it sends it again")


async def test_a_skip_moves_the_position_while_the_service_runs_and_is_on_record(ledger: LedgerService) -> None:
    await ledger.produce(orders(3))
    await ledger.append(batch(order(3), order(4), odd_attributes=True))
    await ledger.produce(orders(3, first=5))
    consumer = ledger.consumer()

    async with running(consumer):
        await until(lambda: "orders[0] stands at 3" in (consumer.reason() or ""))
        dry = await command(ledger, "dead-letters", "skip", "orders", "0", "--to", "5", *SKIP, "--dry-run")
        assert (dry.stdout, await skips(ledger)) == (
            f"ledger would go on in {ledger.topic}[0] from 5; it stood at 3\n",
            [],
        )

        done = await command(ledger, "dead-letters", "skip", ledger.topic, "0", "--to", "5", *SKIP)

        assert done.stdout == f"ledger goes on in {ledger.topic}[0] from 5; it stood at 3\n"
        await until(lambda: ledger.consumed(8))
        assert consumer.reason() is None

        again = await command(ledger, "dead-letters", "skip", "orders", "0", "--to", "5", *SKIP)
        told = f"{ledger.topic}[0] goes on from 5\n"
        assert (again.exit_code, again.stdout.startswith("Done before, by ann at 2"), told in again.stdout) == (
            0, True, True,
        )  # fmt: skip

    assert await skips(ledger) == [(3, 5, "ann", SKIP[-1])]
    assert await ledger.effects() == [(0, n) for n in (0, 1, 2, 5, 6, 7)]
    with pytest.raises(asyncpg.RaiseError, match="rows are only added"):
        await ledger.pool.execute("UPDATE position_skip SET skipped_by = 'nobody'")


async def test_a_skip_goes_on_after_what_retention_removed_and_from_the_start_of_a_topic_made_anew(
    ledger: LedgerService,
) -> None:
    await ledger.produce(orders(10))
    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(10))
    await ledger.pool.execute("UPDATE consumer_offset SET next_offset = 40 WHERE partition = 0")
    consumer = ledger.consumer()

    async with running(consumer):
        await until(lambda: "orders[0] stands at 40" in (consumer.reason() or ""))
        done = await command(ledger, "dead-letters", "skip", "orders", "0", "--to", "0", *SKIP)
        assert done.exit_code == 0, done.stderr
        await until(lambda: ledger.consumed(10))
        await until(consumer.idle)

    assert await skips(ledger) == [(40, 0, "ann", SKIP[-1])]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("orders", "0", "--to", "5", *SKIP), "BACKWARDS"),
        (("orders", "0", "--to", "0", *SKIP), "BACKWARDS"),
        (("orders", "0", "--to", "8", *SKIP), "BEYOND_THE_TOPIC"),
        (("orders", "0", "--to", "-1", *SKIP), "BEYOND_THE_TOPIC"),
        (("orders", "7", "--to", "6", *SKIP), "NOT_CONSUMED"),
        (("nothing", "0", "--to", "6", *SKIP), "NOT_CONSUMED"),
        (("orders", "0", "--to", "6", *SKIP, "--consumer", "other"), "NOT_CONSUMED"),
        (("orders", "0", "--to", "6", "--by", " ", "--reason", "x"), "NO_NAME"),
        (("orders", "0", "--to", "6", "--by", "a\x1b[31m", "--reason", "x"), "NO_NAME"),
        (("orders", "0", "--to", "6", "--by", "ann", "--reason", "x" * 501), "NO_REASON"),
    ],
)
async def test_a_skip_that_goes_back_beyond_or_nowhere_is_refused(
    ledger: LedgerService, arguments: tuple[str, ...], code: str
) -> None:
    await ledger.produce(orders(5))
    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(5))
    await ledger.produce(orders(2))
    held = await ledger.positions()

    refused = await command(ledger, "dead-letters", "skip", *arguments)

    assert (refused.exit_code, code in refused.stderr) == (1, True), refused.output
    assert (await ledger.positions(), await skips(ledger)) == (held, [])


async def skips(ledger: LedgerService) -> list[tuple[Any, ...]]:
    rows = await ledger.pool.fetch("SELECT from_offset, to_offset, skipped_by, reason FROM position_skip ORDER BY id")
    return [tuple(row) for row in rows]
