"""Rows of one partition and what is due of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reminders.timers.partition import Partition
from reminders.timers.row import Row, State, Timer, UnreadableRow, pack

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def row(due: datetime, state: State = State.PENDING, *, keep_until: datetime = AT + 72 * HOUR) -> Row:
    return Row(1, 1, keep_until, timers=(Timer("t", due, due, state),))


def test_the_next_due_is_the_soonest_of_all_rows() -> None:
    part = Partition()
    part.put(b"later", row(AT + 2 * HOUR))
    part.put(b"sooner", row(AT + HOUR))

    assert part.next_due == AT + HOUR
    assert [key for key, _ in part.due(AT + HOUR, 10)] == [b"sooner"]


def test_a_moved_row_is_due_at_its_new_time_only() -> None:
    part = Partition()
    part.put(b"k", row(AT + HOUR))
    part.put(b"k", row(AT + 5 * HOUR))

    assert part.due(AT + 2 * HOUR, 10) == []
    assert part.next_due == AT + 5 * HOUR


def test_a_row_moved_earlier_is_due_earlier() -> None:
    part = Partition()
    part.put(b"k", row(AT + 5 * HOUR))
    part.put(b"k", row(AT + HOUR))

    assert [key for key, _ in part.due(AT + HOUR, 10)] == [b"k"]


def test_r14_a_void_row_is_never_due() -> None:
    part = Partition()
    part.put(b"k", row(AT + HOUR))
    part.put(b"k", row(AT + HOUR, State.VOID))

    assert part.due(AT + 9 * HOUR, 10) == []
    assert part.next_due is None


def test_what_is_due_stays_due_until_it_is_marked() -> None:
    part = Partition()
    part.put(b"k", row(AT))

    assert [key for key, _ in part.due(AT, 10)] == [key for key, _ in part.due(AT, 10)] == [b"k"]
    part.put(b"k", row(AT, State.FIRED))
    assert part.due(AT, 10) == []


def test_no_more_rows_are_given_than_asked_for_and_none_is_lost() -> None:
    part = Partition()
    for number in range(5):
        part.put(b"%d" % number, row(AT))
    seen: set[bytes] = set()
    while found := part.due(AT, 2):
        assert len(found) <= 2
        for key, held in found:
            seen.add(key)
            part.put(key, replace(held, timers=(replace(held.timers[0], state=State.FIRED),)))

    assert len(seen) == 5


def test_replayed_rows_are_due_after_indexing_only() -> None:
    part = Partition()
    part.replay(b"k", pack(row(AT)))
    part.replay(b"gone", pack(row(AT)))
    part.replay(b"gone", None)
    assert part.next_due is None

    part.index()

    assert part.next_due == AT
    assert len(part) == 1


def test_indexing_refuses_a_row_it_cannot_read() -> None:
    part = Partition()
    part.replay(b"k", b"\xff")

    with pytest.raises(UnreadableRow):
        part.index()


def test_a_row_leaves_after_its_time_and_not_while_a_timer_is_pending() -> None:
    part = Partition()
    part.put(b"fired", row(AT, State.FIRED, keep_until=AT + HOUR))
    part.put(b"pending", row(AT + 9 * HOUR, keep_until=AT + HOUR))

    assert part.leaving(AT, 10) == []
    assert part.leaving(AT + HOUR, 10) == [b"fired"]


def test_a_row_kept_longer_by_a_move_does_not_leave_at_its_old_time() -> None:
    part = Partition()
    part.put(b"k", row(AT, State.FIRED, keep_until=AT + HOUR))
    part.put(b"k", row(AT, State.FIRED, keep_until=AT + 5 * HOUR))

    assert part.leaving(AT + HOUR, 10) == []
    assert part.leaving(AT + 5 * HOUR, 10) == [b"k"]
