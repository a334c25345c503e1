"""The packed row: what is written is read, by this version and by those to come."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.timers.row import Row, State, Timer, UnreadableRow, instant, micros, pack, unpack

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
instants = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  # bounds
timers = st.builds(Timer, st.text(max_size=40), instants, instants, st.sampled_from(State))
rows = st.builds(
    Row,
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    instants,
    st.binary(max_size=255),
    st.lists(timers, max_size=40).map(tuple),
)


@given(rows)
def test_what_is_packed_is_unpacked(row: Row) -> None:
    assert unpack(pack(row)) == row


@given(instants)
def test_instants_are_kept_to_the_microsecond(at: datetime) -> None:
    assert instant(micros(at)) == at


def test_a_row_of_format_1_is_read_for_ever() -> None:
    """These bytes are in changelogs of installations: if this fails, the reader is wrong."""
    kept = bytes.fromhex("01030000000100000000c09a44ff4b06000261620100c09a44ff4b060000c09a44ff4b06000103323468")
    row = unpack(kept)

    assert (row.version, row.generation, row.context) == (3, 1, b"ab")
    assert [(t.name, t.state) for t in row.timers] == [("24h", State.FIRED)]
    assert pack(row) == kept


def test_a_usual_row_is_small() -> None:
    row = Row(1, 1, AT, b"\0" * 16 + b"EYE", (Timer("24h", AT, AT), Timer("2h", AT, AT)))

    assert len(pack(row)) == 79  # 39.5 bytes a timer


@pytest.mark.parametrize("packed", [b"", b"\x02", b"\x01", pack(Row(1, 1, AT)) + b"more", pack(Row(1, 1, AT))[:-1]])
def test_bytes_of_no_known_format_are_refused(packed: bytes) -> None:
    with pytest.raises(UnreadableRow):
        unpack(packed)


def test_the_next_due_is_the_soonest_pending_timer() -> None:
    soon, later = Timer("soon", AT, AT, State.FIRED), Timer("later", AT + timedelta(hours=1), AT)

    assert Row(1, 1, AT, timers=(soon, later)).next_due == AT + timedelta(hours=1)


def test_a_row_with_too_much_in_it_is_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        pack(Row(1, 1, AT, timers=tuple(Timer(str(n), AT, AT) for n in range(256))))
