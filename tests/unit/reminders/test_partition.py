"""Rows of one partition and what is due of them."""

from datetime import UTC, datetime

import pytest

from reminders.timers.partition import BUCKET, INDEX_SLICE, SENTINEL, Partition
from reminders.timers.row import NEVER, Row, UnreadableRow, pack
from schemas.instants import micros

AT = micros(datetime(2026, 3, 2, 9, 0, 30, tzinfo=UTC))
HOUR = BUCKET
KEEP = 72 * HOUR


def row(next_due: int, *, anchor: int = AT + HOUR) -> bytes:
    return pack(Row(1, 1, next_due, anchor, 1, b"\0"))


def key(name: str) -> bytes:
    return name.encode().ljust(16)


def partition(**rows: bytes) -> Partition:
    part = Partition(KEEP)
    for name, packed in rows.items():
        part.put(key(name), packed)
    return part


def due(part: Partition, now: int, most: int = 100) -> list[bytes]:
    return [found for found, _ in part.take(now, most)[0]]


def test_the_next_due_is_the_soonest_of_all_rows() -> None:
    part = partition(later=row(AT + 2 * HOUR), sooner=row(AT + HOUR), fired=row(NEVER))

    assert part.next_due == AT + HOUR
    assert due(part, AT + HOUR) == [key("sooner")]


def test_nothing_is_due_before_its_instant_though_its_hour_has_come() -> None:
    part = partition(k=row(AT))

    assert due(part, AT - 1) == []
    assert part.next_wake == AT
    assert due(part, AT) == [key("k")]


def test_a_wake_never_comes_too_late() -> None:
    part = partition(k=row(AT))

    assert part.next_wake is not None
    assert AT - HOUR < part.next_wake <= AT


def test_a_moved_row_is_due_at_its_new_time_only() -> None:
    part = partition(k=row(AT + HOUR))
    part.put(key("k"), row(AT + 5 * HOUR))

    assert due(part, AT + 2 * HOUR) == []
    assert part.next_due == AT + 5 * HOUR
    assert due(part, AT + 5 * HOUR) == [key("k")]


def test_a_row_moved_earlier_is_due_earlier_and_once() -> None:
    part = partition(k=row(AT + 5 * HOUR))
    part.put(key("k"), row(AT + HOUR))

    assert due(part, AT + HOUR) == [key("k")]
    part.put(key("k"), row(NEVER))
    assert due(part, AT + 9 * HOUR) == []


def test_a_row_put_into_an_hour_that_has_come_is_due_at_once() -> None:
    part = partition(k=row(AT + HOUR))
    assert due(part, AT) == []

    part.put(key("now"), row(AT - 1))

    assert due(part, AT) == [key("now")]


def test_r14_a_row_without_a_pending_timer_is_never_due() -> None:
    part = partition(k=row(AT))
    part.put(key("k"), row(NEVER))

    assert due(part, AT + 9 * HOUR) == []
    assert part.next_due is None


def test_no_more_rows_are_given_than_asked_for_and_none_is_lost() -> None:
    part = partition(**{f"k{number}": row(AT) for number in range(5)})
    seen: list[bytes] = []
    while found := due(part, AT, 2):
        assert len(found) <= 2
        seen.extend(found)

    assert sorted(seen) == [key("k0"), key("k1"), key("k2"), key("k3"), key("k4")]


async def test_replayed_rows_are_due_after_indexing_only() -> None:
    part = Partition(KEEP)
    part.replay(key("k"), row(AT))
    part.replay(key("gone"), row(AT))
    part.replay(key("gone"), None)
    part.replay(SENTINEL, b"anything")
    assert part.next_wake is None

    await part.index()

    assert part.next_due == AT
    assert len(part) == 1
    assert due(part, AT) == [key("k")]


async def test_indexing_refuses_a_row_it_cannot_read() -> None:
    part = Partition(KEEP)
    part.replay(key("k"), b"\x02")

    with pytest.raises(UnreadableRow):
        await part.index()


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(UnreadableRow):
        Partition(KEEP).replay(b"short", row(AT))


def test_a_row_of_another_format_is_set_aside() -> None:
    part = Partition(KEEP)
    part.replay(key("k"), b"\x01")

    assert (len(part), part.old) == (0, {key("k"): b"\x01"})


def test_a_row_leaves_some_time_after_its_anchor_and_not_before() -> None:
    part = partition(fired=row(NEVER, anchor=AT))

    assert part.take(AT + KEEP - 1, 10) == ([], [])
    assert part.take(AT + KEEP, 10) == ([], [key("fired")])


def test_a_row_kept_longer_by_a_move_does_not_leave_at_its_old_time() -> None:
    part = partition(k=row(NEVER, anchor=AT))
    part.put(key("k"), row(NEVER, anchor=AT + 5 * HOUR))

    assert part.take(AT + KEEP, 10) == ([], [])
    assert part.take(AT + KEEP + 5 * HOUR, 10) == ([], [key("k")])


def test_what_falls_due_soon_can_be_prepared_once_and_a_change_makes_it_void() -> None:
    part = partition(soon=row(AT + 1), later=row(AT + HOUR))

    assert [found for found, _ in part.ready(AT + 1, 10)] == [key("soon")]
    part.prepared[key("soon")] = "made"
    assert part.ready(AT + 1, 10) == []
    part.put(key("soon"), row(AT + 2))
    assert part.prepared == {}


def test_what_is_overdue_can_be_looked_at_without_taking_it() -> None:
    part = partition(k=row(AT), later=row(AT + HOUR))

    assert [found for found, _ in part.overdue(AT)] == [key("k")]
    assert due(part, AT) == [key("k")]


def test_rows_moved_without_end_do_not_fill_the_index() -> None:
    part = partition(k=row(AT))
    for number in range(3 * INDEX_SLICE):
        part.put(key("k"), row(AT + (2 + number) * HOUR))

    entries = sum(map(len, part._buckets.values()))
    assert entries <= INDEX_SLICE + 2
    assert due(part, AT + 3 * INDEX_SLICE * HOUR) == []
    assert due(part, AT + (1 + 3 * INDEX_SLICE) * HOUR) == [key("k")]
