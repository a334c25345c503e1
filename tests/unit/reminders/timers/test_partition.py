"""Rows of one partition and what is due of them."""

import asyncio
from datetime import UTC, datetime

import pytest

from chassis.kafka.halt import Halt
from reminders.timers.index import HOUR, SLACK
from reminders.timers.partition import PLANNED, ROWS_A_TURN, SENTINEL, Partition
from reminders.timers.row import NEVER, Row, UnreadableRow, pack
from reminders.timers.terms import TermsTable, key_of, number_of
from schemas.instants import micros

AT = micros(datetime(2026, 3, 2, 9, 0, 30, tzinfo=UTC))
KEEP = 72 * HOUR


def row(next_due: int, *, anchor: int = AT + HOUR) -> bytes:
    return pack(Row(1, 1, next_due, anchor, 1, b"\0"))


def key(name: str) -> bytes:
    return name.encode().ljust(16)


def empty() -> Partition:
    """Return a partition that knows the terms of `row`."""
    part = Partition(KEEP)
    part.replay(key_of(1), b"terms")
    return part


def partition(**rows: bytes) -> Partition:
    part = empty()
    for name, packed in rows.items():
        part.put(key(name), packed)
    return part


async def taken(part: Partition, now: int, most: int = 100) -> tuple[list[bytes], list[bytes]]:
    """Return what is due and what may leave."""
    await part.reach(now)
    due, leaving = part.take(now, most)
    return [found for found, _ in due], leaving


async def due(part: Partition, now: int, most: int = 100) -> list[bytes]:
    return (await taken(part, now, most))[0]


async def soon(part: Partition, until: int) -> list[bytes]:
    await part.reach(until)
    return [found for some in part.due_by(until, 10) for found, _ in some]


async def test_the_next_due_is_the_soonest_of_all_rows() -> None:
    part = partition(later=row(AT + 2 * HOUR), sooner=row(AT + HOUR), fired=row(NEVER))

    assert (await part.next_due()) == AT + HOUR
    assert await due(part, AT + HOUR) == [key("sooner")]


async def test_nothing_is_due_before_its_instant_though_its_hour_has_come() -> None:
    part = partition(k=row(AT))

    assert await due(part, AT - 1) == []
    assert part.next_wake == AT
    assert await due(part, AT) == [key("k")]


async def test_a_wake_never_comes_too_late() -> None:
    part = partition(k=row(AT))

    assert part.next_wake is not None
    assert AT - HOUR < part.next_wake <= AT


async def test_a_moved_row_is_due_at_its_new_time_only() -> None:
    part = partition(k=row(AT + HOUR))
    part.put(key("k"), row(AT + 5 * HOUR))

    assert await due(part, AT + 2 * HOUR) == []
    assert (await part.next_due()) == AT + 5 * HOUR
    assert await due(part, AT + 5 * HOUR) == [key("k")]


async def test_a_row_moved_earlier_is_due_earlier_and_once() -> None:
    part = partition(k=row(AT + 5 * HOUR))
    part.put(key("k"), row(AT + HOUR))

    assert await due(part, AT + HOUR) == [key("k")]
    part.put(key("k"), row(NEVER))
    assert await due(part, AT + 9 * HOUR) == []


async def test_a_row_put_into_an_hour_that_has_come_is_due_at_once() -> None:
    part = partition(k=row(AT + HOUR))
    assert await due(part, AT) == []

    part.put(key("now"), row(AT - 1))

    assert await due(part, AT) == [key("now")]


async def test_r14_a_row_without_a_pending_timer_is_never_due() -> None:
    part = partition(k=row(AT))
    part.put(key("k"), row(NEVER))

    assert await due(part, AT + 9 * HOUR) == []
    assert (await part.next_due()) is None


async def test_no_more_rows_are_given_than_asked_for_and_none_is_lost() -> None:
    part = partition(**{f"k{number}": row(AT) for number in range(5)})
    seen: list[bytes] = []
    while found := await due(part, AT, 2):
        assert len(found) <= 2
        seen.extend(found)

    assert sorted(seen) == [key("k0"), key("k1"), key("k2"), key("k3"), key("k4")]


async def test_replayed_rows_are_due_after_indexing_only() -> None:
    part = empty()
    part.replay(key("k"), row(AT))
    part.replay(key("gone"), row(AT))
    part.replay(key("gone"), None)
    part.replay(SENTINEL, b"anything")
    assert part.next_wake is None

    await part.index()

    assert (await part.next_due()) == AT
    assert len(part) == 1
    assert await due(part, AT) == [key("k")]


async def test_a_partition_that_stayed_is_not_indexed_again_and_one_that_changed_is() -> None:
    part = partition(k=row(AT), other=row(AT))
    part.prepared[key("k")] = "made"

    part.replay(key("k"), row(AT))
    part.replay(SENTINEL, b"anything")
    await part.index()
    assert part.prepared, "it was indexed again"

    part.replay(key("k"), row(AT + HOUR))
    await part.index()
    assert part.prepared == {}
    assert [await due(part, at) for at in (AT, AT + HOUR)] == [[key("other")], [key("k")]]


async def test_an_indexing_that_was_cut_off_is_made_anew() -> None:
    part = empty()
    for number in range(2 * ROWS_A_TURN):
        part.replay(number.to_bytes(16), row(AT))
    indexing = asyncio.ensure_future(part.index())
    await asyncio.sleep(0)
    indexing.cancel()
    await asyncio.gather(indexing, return_exceptions=True)

    await part.index()

    assert len(await due(part, AT, 3 * ROWS_A_TURN)) == 2 * ROWS_A_TURN


async def test_rows_may_come_and_go_while_keys_are_looked_at() -> None:
    part = partition(a=row(AT), b=row(AT))
    seen = []
    for found in part.all_keys():
        seen.append(found)
        part.put(found[::-1], row(AT))
        part.drop(found)

    assert seen == [key("a"), key("b")]


async def test_indexing_refuses_a_row_it_cannot_read() -> None:
    part = Partition(KEEP)
    part.replay(key("k"), b"\x02")

    with pytest.raises(UnreadableRow):
        await part.index()


async def test_indexing_refuses_a_row_whose_terms_are_not_there() -> None:
    part = Partition(KEEP)
    part.replay(key("k"), row(AT))

    with pytest.raises(UnreadableRow, match="terms 1"):
        await part.index()


async def test_a_new_beginning_leaves_nothing_of_before_be_it_readable_or_not() -> None:
    part = partition(k=row(AT))
    part.replay(key("bad"), b"\x02")
    part.replay(key("old"), b"\x01")
    part.aside[key("k")] = "JSONDecodeError"
    part.stand_still(7, "it cannot be read", 8)
    part.stand_still(9, "nor can this", None)
    assert part.halt == Halt(9, "nor can this", None), "who lets it begin anew must know of the last"

    part.begin_anew(12)
    part.replay(key_of(1), b"terms")
    part.replay(key("after"), row(AT))
    await part.index()

    found: object = (part.halt, part.aside, [*part.all_keys()], part.first, part.begun_anew)
    assert found == (None, {}, [key("after")], 12, True)
    assert await due(part, AT) == [key("after")]


async def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(UnreadableRow):
        Partition(KEEP).replay(b"short", row(AT))


@pytest.mark.parametrize(("packed", "named"), [(b"\x01", "1"), (b"\x03 of the future", "3"), (b"", "none")])
async def test_indexing_refuses_a_row_of_another_format(packed: bytes, named: str) -> None:
    part = partition(k=row(AT))
    part.replay(key("k"), packed)

    with pytest.raises(UnreadableRow, match=f"row format {named} is not known: is this worker too old"):
        await part.index()


async def test_a_row_of_another_format_that_was_written_anew_under_another_key_is_none_any_more() -> None:
    part = empty()
    part.replay(b"a key of another length", b"\x01")
    part.replay(key("k"), row(AT))
    part.replay(b"a key of another length", None)
    await part.index()

    assert await due(part, AT) == [key("k")]


async def test_a_row_leaves_some_time_after_its_anchor_and_not_before() -> None:
    part = partition(fired=row(NEVER, anchor=AT))

    assert await taken(part, AT + KEEP - 1) == ([], [])
    assert await taken(part, AT + KEEP) == ([], [key("fired")])


async def test_a_row_kept_longer_by_a_move_does_not_leave_at_its_old_time() -> None:
    part = partition(k=row(NEVER, anchor=AT))
    part.put(key("k"), row(NEVER, anchor=AT + 5 * HOUR))

    assert await taken(part, AT + KEEP) == ([], [])
    assert await taken(part, AT + KEEP + 5 * HOUR) == ([], [key("k")])


async def test_what_falls_due_soon_can_be_prepared_and_a_change_makes_it_void() -> None:
    part = partition(soon=row(AT + 1), later=row(AT + HOUR))

    assert await soon(part, AT + 1) == [key("soon")]
    part.prepared[key("soon")] = "made"
    part.put(key("soon"), row(AT + 2))
    assert part.prepared == {}


async def test_what_is_overdue_can_be_looked_at_without_taking_it() -> None:
    part = partition(k=row(AT), later=row(AT + HOUR))

    assert await soon(part, AT) == [key("k")]
    assert await due(part, AT) == [key("k")]


async def test_rows_moved_without_end_do_not_fill_the_index() -> None:
    part = partition(k=row(AT))
    for number in range(3 * SLACK):
        part.put(key("k"), row(AT + (2 + number) * HOUR))

    assert len(part._index) <= 2 * SLACK
    assert await due(part, AT + 3 * SLACK * HOUR) == []
    assert await due(part, AT + (1 + 3 * SLACK) * HOUR) == [key("k")]


async def test_that_what_is_ahead_was_planned_is_known_until_the_next_new_beginning() -> None:
    part = Partition(KEEP)
    part.replay(PLANNED, b"planned")
    assert (part.begun_anew, len(part.terms)) == (False, 0)

    part.begin_anew(12)
    assert part.begun_anew
    part.replay(PLANNED, b"planned")
    assert not part.begun_anew

    part.begin_anew(20)
    assert part.begun_anew


def test_a_release_that_does_not_know_the_note_takes_it_for_terms_that_no_row_has() -> None:
    table = TermsTable()
    number = number_of(PLANNED)
    assert number is not None
    table.replay(number, b"planned")

    assert table.number(b"the first terms") == 1
    assert table.content(1) == b"the first terms"
