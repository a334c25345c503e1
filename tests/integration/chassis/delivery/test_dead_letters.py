"""Dead letters keep what cannot be applied, and replay with the same effect, once (G8, I11)."""

import json
from typing import Any

import pytest

from chassis.delivery import dead_letter
from chassis.delivery.consumer import Applied, Subscription
from chassis.delivery.replay import replay
from chassis.postgres.database import Connection
from chassis.process.errors import RejectedEvent
from tests.integration.chassis.delivery.command import command
from tests.integration.chassis.ledger.apply import ORDERS, SUBSCRIPTION, Order, apply, decode
from tests.integration.chassis.ledger.service import LedgerService, orders, producer, running
from tests.support.waiting import until

CANARY = "canary.person@example.org"
REFUSED = {"entity": "x", "version": 1, "wish": "raise", "note": CANARY}


async def refused_then_mended(ledger: LedgerService) -> int:
    """Leave one dead letter whose record the service of today would take; return its id."""

    async def strict(_connection: Connection, events: list[Order]) -> Applied:
        raise RejectedEvent("RAISED", "refused by raising")

    await ledger.produce([{"entity": "x", "version": 1}])
    async with running(ledger.consumer(Subscription(ORDERS, decode, strict))):  # type: ignore[arg-type]  # a list is one
        await until(lambda: ledger.consumed(1))
    (letter,) = await dead_letter.listed(ledger.pool)
    assert letter.id is not None
    return letter.id


async def test_a_letter_keeps_bytes_headers_position_and_reason(ledger: LedgerService) -> None:
    await ledger.produce([*orders(2), b"\xff\x00 not utf-8"])
    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(3))

    (letter,) = await dead_letter.listed(ledger.pool)
    assert (letter.topic, letter.partition, letter.offset) == (ledger.topic, 0, 2)
    assert (letter.key, letter.value, letter.code, letter.state) == (b"k", b"\xff\x00 not utf-8", "INVALID", "open")
    assert await dead_letter.count(ledger.pool) == 1


async def test_a_replayed_letter_has_the_effect_that_its_record_would_have_had(ledger: LedgerService) -> None:
    letter = await refused_then_mended(ledger)

    assert await replay(ledger.pool, [SUBSCRIPTION], ledger.prefix, letter) == "applied"

    assert await ledger.effects() == [(0, 0)]
    assert await dead_letter.count(ledger.pool) == 0


async def test_replayed_twice_it_takes_effect_once(ledger: LedgerService) -> None:
    letter = await refused_then_mended(ledger)
    await replay(ledger.pool, [SUBSCRIPTION], ledger.prefix, letter)

    with pytest.raises(RejectedEvent, match="NOT_OPEN"):
        await replay(ledger.pool, [SUBSCRIPTION], ledger.prefix, letter)

    assert await ledger.effects() == [(0, 0)]


async def test_a_replay_that_is_refused_again_leaves_the_letter_open_and_nothing_half_done(
    ledger: LedgerService,
) -> None:
    await ledger.produce([REFUSED])
    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(1))
    (letter,) = await dead_letter.listed(ledger.pool)
    assert letter.id is not None

    with pytest.raises(RejectedEvent, match="RAISED"):
        await replay(ledger.pool, [SUBSCRIPTION], ledger.prefix, letter.id)

    assert await dead_letter.count(ledger.pool) == 1
    assert await ledger.effects() == []


async def test_a_discarded_letter_is_settled_and_stays_on_record(ledger: LedgerService) -> None:
    letter = await refused_then_mended(ledger)

    assert await dead_letter.discard(ledger.pool, letter)
    assert not await dead_letter.discard(ledger.pool, letter)

    with pytest.raises(RejectedEvent, match="NOT_OPEN"):
        await replay(ledger.pool, [SUBSCRIPTION], ledger.prefix, letter)
    found = await dead_letter.one(ledger.pool, letter)
    assert found is not None
    assert found.state == "discarded"


async def test_a_record_that_is_consumed_again_makes_no_second_letter(ledger: LedgerService) -> None:
    await ledger.produce([b"?"])
    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(1))
    await ledger.pool.execute("UPDATE consumer_offset SET next_offset = 0 WHERE partition = 0")

    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(1))

    assert await ledger.dead() == [(0, "INVALID")]


async def test_the_commands_list_show_replay_and_discard(ledger: LedgerService) -> None:
    letter = str(await refused_then_mended(ledger))

    listed = await command(ledger, "dead-letters", "list", "--json")
    assert [json.loads(line)["code"] for line in listed.stdout.splitlines()] == ["RAISED"]
    assert "RAISED" in (await command(ledger, "dead-letters", "list")).stdout
    assert json.loads((await command(ledger, "dead-letters", "show", letter)).stdout)["key"] == "k"
    assert (await command(ledger, "dead-letters", "replay", letter)).stdout == f"{letter}: applied\n"
    again = await command(ledger, "dead-letters", "replay", letter)
    assert (again.exit_code, again.stdout.startswith(f"{letter}: done before: replayed at 2")) == (0, True)
    assert (await command(ledger, "dead-letters", "discard", letter)).stdout.startswith(f"{letter}: not open: replayed")
    assert await ledger.effects() == [(0, 0)]


async def test_a_list_never_shows_what_the_letters_hold(ledger: LedgerService) -> None:
    await ledger.produce([REFUSED, CANARY.encode()])
    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(2))

    for arguments in (["list"], ["list", "--json"], ["replay", "1"]):
        shown = await command(ledger, "dead-letters", *arguments)
        assert CANARY not in shown.stdout + shown.stderr


STRANGE = [
    (None, None, ()),
    (b"", b"", (("", b""), ("", None))),
    (b"\xff\x00", b"\x00", (("nul \0 inside", b"\xff"),)),
    (b"k", None, (("twice", b"1"), ("twice", b"2"), ("twice", None))),
    (b"k", b"v", (("caf\udce9", b"a name that is not UTF-8"), ("\ud800", b"half a pair"))),
    (b"k", b"v", (("long " * 20_000, b"\x80" * 100_000),)),
    (b"k", b"v", tuple((f"h{number}", None) for number in range(5_000))),
]


@pytest.mark.parametrize("number", range(len(STRANGE)))
async def test_any_record_can_be_kept_and_comes_back_as_it_was(ledger: LedgerService, number: int) -> None:
    key, value, headers = STRANGE[number]
    kept = dead_letter.DeadLetter(ledger.topic, 0, number, key, value, headers, "NO", "refused")
    async with ledger.pool.acquire() as connection:
        await dead_letter.store(connection, "ledger", [kept])

    (found,) = await dead_letter.listed(ledger.pool)

    assert (found.key, found.value, found.headers) == (key, value, headers)
    assert (await command(ledger, "dead-letters", "show", str(found.id))).exit_code == 0


async def test_a_refused_record_with_null_headers_is_kept_and_does_not_hold_up_the_others(
    ledger: LedgerService,
) -> None:
    headers: list[tuple[str, Any]] = [("traceparent", None), ("client", b"\xff"), ("client", None)]
    async with producer(ledger.bootstrap) as sender:
        await sender.send_and_wait(ledger.topic, b"{", None, partition=0, headers=headers)
    await ledger.produce(orders(1))
    consumer = ledger.consumer()

    async with running(consumer):
        await until(lambda: ledger.consumed(2))

    (letter,) = await dead_letter.listed(ledger.pool)
    assert (letter.key, letter.value, letter.headers) == (None, b"{", tuple(headers))
    shown = json.loads((await command(ledger, "dead-letters", "show", str(letter.id))).stdout)
    assert shown["headers"] == [["traceparent", None], ["client", {"base64": "/w=="}], ["client", None]]
    assert await ledger.effects() == [(0, 1)]


async def test_a_replay_gives_the_record_as_it_was_headers_and_all(ledger: LedgerService) -> None:
    seen: list[Any] = []
    fails = True

    def reading(record: Any) -> Order:
        seen.append((record.key, record.value, record.headers))
        if fails:
            raise TypeError("Integer exceeds 64-bit range")
        return decode(record)

    subscription = Subscription(ORDERS, reading, apply)
    headers: list[tuple[str, Any]] = [("a", None), ("a", b"\x00\xff"), ("é", b"")]
    async with producer(ledger.bootstrap) as sender:
        value = b'{"entity": "x", "version": 1}'
        await sender.send_and_wait(ledger.topic, value, b"\xfe", partition=0, headers=headers)
    async with running(ledger.consumer(subscription)):
        await until(lambda: ledger.consumed(1))
    assert await ledger.dead() == [(0, "INTERNAL")]
    (letter,) = await dead_letter.listed(ledger.pool)
    assert letter.id is not None

    fails = False
    assert await replay(ledger.pool, [subscription], ledger.prefix, letter.id) == "applied"

    assert seen[0] == seen[-1] == (b"\xfe", value, tuple(headers))
    assert await ledger.effects() == [(0, 0)]


async def test_a_letter_that_was_discarded_says_so_to_whoever_discards_or_replays_it_again(
    ledger: LedgerService,
) -> None:
    letter = str(await refused_then_mended(ledger))
    assert (await command(ledger, "dead-letters", "discard", letter)).stdout == f"{letter}: discarded\n"

    again = await command(ledger, "dead-letters", "discard", letter)
    replayed = await command(ledger, "dead-letters", "replay", letter)
    nobody = await command(ledger, "dead-letters", "discard", "4711")
    listed = await command(ledger, "dead-letters", "list")

    assert (again.exit_code, again.stdout.startswith(f"{letter}: done before: discarded at 2")) == (0, True)
    assert (replayed.exit_code, f"dead letter {letter} was discarded at 2" in replayed.stderr) == (1, True)
    assert (nobody.exit_code, "there is no dead letter 4711" in nobody.stderr) == (1, True)
    assert listed.stdout == "records: no dead letters that are open\n"
