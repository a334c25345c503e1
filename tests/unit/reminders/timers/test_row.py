"""The packed row: what is written is read, by this version and by those to come."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.timers.row import (
    Row,
    TimerState,
    UnreadableRow,
    instants,
    marks_of,
    pack,
    state_of,
    unpack,
)
from reminders.timers.terms import TermsTable, key_of, number_of
from schemas.instants import instant, micros

AT = micros(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
times = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  # bounds
counts = st.integers(0, 2**32 - 1)
signed = st.integers(-(2**63), 2**63 - 1)
rows = st.builds(Row, counts, counts, signed, signed, counts, st.binary(min_size=1, max_size=64))


@given(rows)
def test_what_is_packed_is_unpacked(row: Row) -> None:
    assert unpack(pack(row)) == row
    assert instants(pack(row)) == (row.next_due, row.anchor)


@given(st.lists(st.sampled_from(TimerState), max_size=80))
def test_marks_keep_every_timers_state(states: list[TimerState]) -> None:
    assert [state_of(marks_of(states), number) for number in range(len(states))] == states


@given(times)
def test_instants_are_kept_to_the_microsecond(at: datetime) -> None:
    assert instant(micros(at)) == at


def test_a_row_of_format_2_is_read_for_ever() -> None:
    """These bytes are in changelogs of installations: if this fails, the reader is wrong."""
    kept = bytes.fromhex("02030000000100000000c40539144c0600000c2de6154c06000700000021")

    assert unpack(kept) == Row(3, 1, 1772499600000000, 1772506800000000, 7, b"\x21")
    assert pack(unpack(kept)) == kept


def test_a_row_of_four_timers_fills_a_block_of_64_bytes_and_no_more() -> None:
    packed = pack(Row(1, 1, AT, AT, 1, marks_of([TimerState.FIRED] * 4)))

    assert len(packed) == 30  # 7.5 bytes a timer
    assert packed.__sizeof__() <= 64


@pytest.mark.parametrize("packed", [b"", b"\x03", b"\x02", pack(Row(1, 1, AT, AT, 1, b"\0"))[:-1]])
def test_bytes_of_no_known_format_are_refused(packed: bytes) -> None:
    with pytest.raises(UnreadableRow):
        unpack(packed)
    with pytest.raises(UnreadableRow):
        instants(packed)


def test_terms_get_one_number_each_and_a_key_of_their_own() -> None:
    terms = TermsTable()

    numbers = [terms.number(content) for content in (b"a", b"b", b"a")]

    assert numbers == [1, 2, 1]
    assert terms.unwritten == {1: b"a", 2: b"b"}
    assert [number_of(key_of(number)) for number in (0, 7, 2**32 - 1)] == [0, 7, 2**32 - 1]
    assert number_of(UUID(int=1).bytes) is None


def test_replayed_terms_keep_their_numbers() -> None:
    terms = TermsTable()
    terms.replay(5, b"a")

    assert (terms.number(b"a"), terms.number(b"b"), terms.unwritten) == (5, 6, {6: b"b"})
