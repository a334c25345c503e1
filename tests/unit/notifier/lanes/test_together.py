"""A person's news of one day at one clinic is one call; each visit's message keeps its gate, attempt and outcome."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from notifier.gate.domain.channels import Route
from notifier.gate.domain.visit import Details
from notifier.lanes.domain.together import MOST, SOON, apart, together
from notifier.ledger.domain.notification import (
    Call,
    Notification,
)
from schemas.notifications import Channel, Kind
from tests.support.notifier.builders import NOW, PATIENT, STARTS, call, notification

OTHER = UUID("01890000-0000-7000-8000-00000000000a")


def may(clinic_id: str, kind: Kind) -> bool:
    return True


def told(nth: int = 0, kind: Kind = Kind.CANCELLED, **visit_changes: Any) -> Call:
    """Return the call for the `nth` visit of the patient that day, an hour after the one before."""
    changes = {"appointment_id": UUID(int=100 + nth), "starts_at": STARTS + timedelta(hours=nth), **visit_changes}
    ends = changes["starts_at"]
    return replace(call(kind, **changes), attempt_id=UUID(int=200 + nth), not_after=ends, arrives_by=ends)


def test_four_of_a_day_are_one_call_known_by_the_soonest_and_ended_by_it() -> None:
    calls = [told(nth) for nth in (2, 0, 3, 1)]

    [made] = together(calls, may)

    assert made.attempt_id == UUID(int=200)
    assert [one.visit.appointment_id.int for one in made.every] == [100, 101, 102, 103]
    assert [one.with_attempt for one in made.every] == [None, *[UUID(int=200)] * 3]
    assert made.not_after == made.arrives_by == STARTS


def test_no_code_is_in_a_message_about_several_for_it_names_one() -> None:
    calls = [replace(told(nth, Kind.CONFIRMATION), code="4711") for nth in range(2)]

    assert [one.code for one in together(calls, may)] == [""]
    assert [one.code for one in together(calls[:1], may)] == ["4711"]


def test_one_by_itself_is_as_ever() -> None:
    assert together([told()], may) == [told()]


@pytest.mark.parametrize("kind", [Kind.CANCELLED, Kind.MOVED, Kind.CONFIRMATION])
def test_every_kind_of_news_is_told_together(kind: Kind) -> None:
    assert len(together([told(0, kind), told(1, kind)], may)) == 1


@pytest.mark.parametrize(
    ("case", "other"),
    [
        ("another kind of news", told(1, Kind.MOVED)),
        ("another patient, of the same mobile", told(1, patient_id=OTHER)),
        ("another clinic", told(1, clinic_id="SOUTH")),
        ("the next day", told(24)),
        ("the next day by the clinic's clock alone", told(14, zone="Asia/Tokyo")),
        ("another address", replace(told(1), route=Route(Channel.EMAIL, "new@example.org"))),
        ("another channel", replace(told(1), route=Route(Channel.SMS, "+442071838750"))),
        ("another account", replace(told(1), account="souths")),
        ("one that must not name its clinic", told(1, clinic_sensitive=True)),
        ("one told of another clinic", told(1, told_elsewhere=True)),
    ],
)
def test_what_is_not_the_same_news_leaves_by_itself(case: str, other: Call) -> None:
    assert len(together([told(), other], may)) == 2


@pytest.mark.parametrize("kind", [Kind.REMINDER, Kind.TODAY, Kind.NO_SHOW])
def test_what_is_no_news_is_one_for_each_visit(kind: Kind) -> None:
    assert len(together([told(0, kind), told(1, kind)], may)) == 2


def test_where_to_come_must_be_the_same_but_of_what_is_cancelled_nobody_asks() -> None:
    there = Details(address="Ward 5")

    assert len(together([told(0, Kind.MOVED), told(1, Kind.MOVED, clinic_details=there)], may)) == 2
    assert len(together([told(0), told(1, clinic_details=there)], may)) == 1


def test_what_to_prepare_and_whom_to_call_may_differ() -> None:
    there = Details(phone="+442079460018", preparation="Do not eat before.")

    assert len(together([told(0, Kind.CONFIRMATION), told(1, Kind.CONFIRMATION, clinic_details=there)], may)) == 1


def test_on_the_day_the_clocks_change_times_before_and_after_are_not_listed_together() -> None:
    spring = datetime.fromisoformat("2027-03-28T00:30:00Z")

    assert len(together([told(0, starts_at=spring), told(1, starts_at=spring + timedelta(hours=9))], may)) == 2


def test_without_words_for_several_each_leaves_by_itself() -> None:
    assert len(together([told(0), told(1)], lambda clinic_id, kind: kind is not Kind.CANCELLED)) == 2


def test_a_call_is_about_twenty_visits_at_most() -> None:
    made = together([told(nth, starts_at=STARTS + timedelta(minutes=nth)) for nth in range(MOST + 3)], may)

    assert [len(one.every) for one in made] == [MOST, 3]


def row(number: int, **changes: Any) -> Notification:
    """Return a queued confirmation of the patient by SMS."""
    fields = {
        "notification_id": UUID(int=number), "appointment_id": UUID(int=1000 + number), "kind": Kind.CONFIRMATION,
        "recipient_id": PATIENT, "clinic_id": "NORTH", "not_after": STARTS, **changes,
    }  # fmt: skip
    return notification(**fields)


WHOM = (PATIENT, "NORTH")


@pytest.mark.parametrize(
    ("case", "due", "missing", "left", "put_off"),
    [
        ("all are here", [1, 2], [], set(), set()),
        ("the first is here", [1, 2], [3], {1, 2}, set()),
        ("the first is elsewhere", [2, 3], [1], set(), {2, 3}),
        ("the first is here, and others before and behind are not", [2, 4], [3, 5], {2, 4}, set()),
    ],
)
def test_who_lacks_some_steps_back_and_who_has_the_first_has_all_the_next_time(
    case: str, due: list[int], missing: list[int], left: set[int], put_off: set[int]
) -> None:
    parted = apart([row(one) for one in due], [(WHOM, UUID(int=one)) for one in missing], NOW)

    assert ({one.int for one in parted.left}, {one.int for one in parted.put_off}) == (left, put_off)


@pytest.mark.parametrize(
    ("case", "held"),
    [
        ("another person's", row(5, recipient_id=OTHER)),
        ("a reminder", row(5, kind=Kind.REMINDER)),
        ("of the release before", row(5, recipient_id=None)),
        ("late already", row(5, not_after=NOW + SOON)),
    ],
)
def test_nobody_else_steps_back(case: str, held: Notification) -> None:
    parted = apart([held], [(WHOM, UUID(int=1))], NOW)

    assert not parted.left
    assert not parted.put_off
