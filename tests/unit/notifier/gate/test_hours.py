"""Hours of clinics and channels, on the clinic's wall clock."""

from datetime import UTC, datetime, time

import pytest

from notifier.gate.domain.hours import narrowed, needs_window, opens_at
from schemas.appointments import SendWindow
from schemas.notifications import Channel, Kind

DAY = SendWindow(opens=time(7), closes=time(21))
LONDON = "Europe/London"
NEWS = {Kind.CONFIRMATION, Kind.MOVED, Kind.CANCELLED}


def at(hour: int, minute: int = 0, day: int = 1, month: int = 3) -> datetime:
    return datetime(2027, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (at(6, 59), at(7)),
        (at(7), at(7)),
        (at(12), at(12)),
        (at(20, 59), at(20, 59)),
        (at(21), at(7, day=2)),
        (at(23, 30), at(7, day=2)),
    ],
)
def test_d16_hours_include_their_first_minute_and_not_their_last(now: datetime, expected: datetime) -> None:
    assert opens_at(DAY, LONDON, now) == expected


def test_d16_hours_are_the_clinics_wall_clock() -> None:
    assert opens_at(DAY, "America/New_York", at(11)) == at(12)


def test_d12_the_opening_after_the_clocks_go_forward_is_an_hour_earlier() -> None:
    assert opens_at(DAY, LONDON, at(22, day=27)) == at(6, day=28)


def test_an_opening_inside_the_spring_gap_is_after_it() -> None:
    night = SendWindow(opens=time(1, 30), closes=time(4))

    assert opens_at(night, LONDON, at(0, day=28)) == at(1, 30, day=28)


def test_d16_a_channel_narrows_the_clinics_hours_and_never_widens_them() -> None:
    assert narrowed(DAY, None) == DAY
    assert narrowed(DAY, SendWindow(opens=time(9), closes=time(23))) == SendWindow(opens=time(9), closes=time(21))


def test_hours_that_leave_nothing_open_never_open() -> None:
    nothing = narrowed(DAY, SendWindow(opens=time(22), closes=time(23)))

    assert opens_at(nothing, LONDON, at(12)) is None


@pytest.mark.parametrize("kind", [kind for kind in Kind if not kind.startswith("provider")])
@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS, Channel.WHATSAPP])
def test_d16_only_mail_about_the_visit_itself_may_leave_at_any_hour(kind: Kind, channel: Channel) -> None:
    assert needs_window(kind, channel) == (not (kind in NEWS and channel is Channel.EMAIL))
