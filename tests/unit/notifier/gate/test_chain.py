"""The chain of channels: the next that is open, when one opens, or why there is none."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from notifier.gate.domain.chain import TRIED, Closed, Open, Opens, Step, arrives_by, next_channel
from notifier.gate.domain.channels import Route
from notifier.gate.domain.facts import ClinicSending, GateFacts
from notifier.gate.domain.visit import Preferences
from schemas.appointments import SendWindow
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason
from tests.support.notifier.builders import EMAIL, MOBILE, NOW, STARTS, visit

ALL = Preferences(whatsapp=True, sms=True, email=True)
WHATSAPP, SMS, MAIL = Channel.WHATSAPP, Channel.SMS, Channel.EMAIL
NIGHT = NOW.replace(hour=23)
UNTIL_NOON = SendWindow(opens=time(8), closes=time(12))
MORNING = NOW.replace(hour=7) + timedelta(days=1)


def step(channel: Channel, reason: Reason) -> Step:
    return Step(channel, reason)


def asked(
    *steps: Step,
    kind: Kind = Kind.REMINDER,
    said: Preferences | None = ALL,
    opted_out: frozenset[Channel] = frozenset(),
    now: datetime = NOW,
    deadline: datetime = STARTS,
    windows: dict[Channel, SendWindow] | None = None,
    **changes: Any,
) -> Open | Opens | Closed:
    facts = GateFacts(said, opted_out, clinic=ClinicSending(channel_windows=windows or {}))
    return next_channel(kind, steps, visit(**changes), facts, deadline, now)


def test_r23_the_first_channel_that_is_open_is_taken() -> None:
    assert asked() == Open(Route(WHATSAPP, MOBILE), ())


@pytest.mark.parametrize("reason", sorted(TRIED))
def test_d32_a_channel_that_was_called_and_closed_is_passed_over(reason: Reason) -> None:
    assert asked(step(WHATSAPP, reason)) == Open(Route(SMS, MOBILE), ())
    assert asked(step(WHATSAPP, reason), step(SMS, reason)) == Open(Route(MAIL, EMAIL), (), last=True)


@pytest.mark.parametrize("reason", sorted(TRIED))
def test_d17_when_all_were_called_the_last_ones_reason_is_told(reason: Reason) -> None:
    steps = (step(WHATSAPP, Reason.REFUSED), step(SMS, Reason.NOT_ACCEPTED), step(MAIL, reason))

    assert asked(*steps) == Closed(reason, ())


def test_d17_a_call_that_failed_is_told_even_if_another_channel_was_never_usable() -> None:
    decision = asked(step(WHATSAPP, Reason.REFUSED), step(SMS, Reason.REFUSED), email=None)

    assert decision == Closed(Reason.REFUSED, (step(MAIL, Reason.NO_CONTACT),))


def test_d36_a_channel_that_was_opted_out_of_is_passed_over_and_noted_once() -> None:
    noted = step(WHATSAPP, Reason.OPTED_OUT)

    assert asked(opted_out=frozenset({WHATSAPP})) == Open(Route(SMS, MOBILE), (noted,))
    assert asked(noted, opted_out=frozenset({WHATSAPP})) == Open(Route(SMS, MOBILE), ())


def test_d31_what_was_shut_before_without_a_call_is_asked_again() -> None:
    """He wrote START meanwhile, or the hours began."""
    for reason in (Reason.OPTED_OUT, Reason.OUTSIDE_WINDOW, Reason.NO_CONTACT):
        assert asked(step(WHATSAPP, reason)) == Open(Route(WHATSAPP, MOBILE), ())


def test_d36_opted_out_of_every_channel() -> None:
    decision = asked(opted_out=frozenset(Channel), email=None)

    assert isinstance(decision, Closed)
    assert decision.reason is Reason.OPTED_OUT


def test_d30_all_off_and_no_address_are_two_reasons() -> None:
    off = Preferences(whatsapp=False, sms=False, email=False)

    assert asked(said=off) == Closed(Reason.CHANNELS_DISABLED, ())
    nobody = asked(said=None, mobile=None, email=None)
    assert nobody == Closed(Reason.NO_CONTACT, (step(SMS, Reason.NO_CONTACT), step(MAIL, Reason.NO_CONTACT)))


def test_d16_outside_the_hours_a_reminder_waits_for_them() -> None:
    assert asked(now=NIGHT) == Opens(MORNING, WHATSAPP, ())


def test_d16_a_reminder_that_cannot_wait_that_long_is_for_quiet_hours() -> None:
    decision = asked(now=NIGHT, deadline=MORNING - timedelta(microseconds=1))

    assert isinstance(decision, Closed)
    assert decision.reason is Reason.QUIET_HOURS
    assert isinstance(asked(now=NIGHT, deadline=MORNING), Opens)


def test_d16_a_closed_channel_gives_way_to_the_next_that_is_open() -> None:
    windows = {WHATSAPP: SendWindow(opens=time(10), closes=time(12))}

    assert asked(windows=windows) == Open(Route(SMS, MOBILE), (step(WHATSAPP, Reason.OUTSIDE_WINDOW),))


def test_d16_of_several_the_one_that_opens_first_is_waited_for() -> None:
    windows = {WHATSAPP: SendWindow(opens=time(10), closes=time(12)), SMS: SendWindow(opens=time(8), closes=time(12))}

    assert asked(step(MAIL, Reason.REFUSED), now=NIGHT, windows=windows) == Opens(MORNING + timedelta(hours=1), SMS, ())


def test_d16_mail_about_the_visit_itself_leaves_at_night_and_its_sms_waits() -> None:
    confirmed = asked(kind=Kind.CONFIRMATION, now=NIGHT)
    by_sms = asked(kind=Kind.CONFIRMATION, now=NIGHT, email=None)

    assert confirmed == Open(Route(MAIL, EMAIL), ())
    assert by_sms == Opens(MORNING, WHATSAPP, (step(MAIL, Reason.NO_CONTACT),))


@pytest.mark.parametrize(
    ("kind", "channel", "windows", "deadline", "expected"),
    [
        (Kind.REMINDER, SMS, {}, STARTS, NOW.replace(hour=21)),
        (Kind.REMINDER, SMS, {SMS: UNTIL_NOON}, STARTS, NOW.replace(hour=12)),
        (Kind.REMINDER, SMS, {}, NOW.replace(hour=15), NOW.replace(hour=15)),
        (Kind.CONFIRMATION, SMS, {}, STARTS, NOW.replace(hour=21)),
        (Kind.CONFIRMATION, MAIL, {}, STARTS, STARTS),
    ],
)  # fmt: skip
def test_d16_what_leaves_now_may_arrive_until_its_deadline_or_the_end_of_the_hours(
    kind: Kind, channel: Channel, windows: dict[Channel, SendWindow], deadline: datetime, expected: datetime
) -> None:
    facts = GateFacts(ALL, clinic=ClinicSending(channel_windows=windows))

    assert arrives_by(kind, channel, visit(), facts, deadline, NOW) == expected


def test_d16_the_end_of_the_hours_is_read_from_the_clinics_wall() -> None:
    ends = arrives_by(Kind.REMINDER, SMS, visit(zone="America/New_York"), GateFacts(), STARTS, NOW.replace(hour=14))

    assert ends == (NOW + timedelta(days=1)).replace(hour=2)
