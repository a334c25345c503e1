"""A clinic's morning: who is written to, and what each provider sees (R19, D18, D20)."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from notifier.fanout.domain.mornings import Morning, TodaysVisit, day_lists, messages
from notifier.gate.domain.visit import Visit
from notifier.ledger.domain.states import NotificationState
from schemas.appointments import Status
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason
from tests.support.notifier.builders import APPOINTMENT, PROVIDER, visit

EIGHT = datetime(2027, 3, 1, 8, tzinfo=UTC)
TEN = datetime(2027, 3, 1, 10, tzinfo=UTC)
MORNING = Morning("NORTH", date(2027, 3, 1), "Europe/London", TEN, "slot")


def todays(hour: int = 11, *, told: bool = False, to_come: bool = False) -> TodaysVisit:
    return TodaysVisit(APPOINTMENT, 1, datetime(2027, 3, 1, hour, tzinfo=UTC), told, to_come)


@pytest.mark.parametrize(("day", "hours"), [(date(2027, 3, 28), 23), (date(2027, 10, 31), 25), (date(2027, 3, 1), 24)])
def test_d12_a_day_is_the_clinics_whatever_its_clocks_do(day: date, hours: int) -> None:
    morning = Morning("NORTH", day, "Europe/London", TEN, "slot")

    assert morning.ends - morning.begins == timedelta(hours=hours)


def test_d18_the_noon_before_is_the_clinics() -> None:
    morning = Morning("NYC", date(2027, 3, 1), "America/New_York", TEN, "slot")

    assert morning.noon_before == datetime(2027, 2, 28, 17, tzinfo=UTC)


def test_r19_a_patient_who_was_not_reminded_is_written_to_until_ten() -> None:
    [message] = messages(MORNING, [todays()], EIGHT)

    assert (message.kind, message.state, message.not_after) == (Kind.TODAY, NotificationState.QUEUED, TEN)
    assert messages(MORNING, [todays(9)], EIGHT)[0].not_after == datetime(2027, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize("known", [{"told": True}, {"to_come": True}])
def test_d18_a_patient_who_was_reminded_or_will_be_is_not(known: dict[str, bool]) -> None:
    [message] = messages(MORNING, [todays(**known)], EIGHT)

    assert (message.state, message.reason) == (NotificationState.SKIPPED, Reason.ALREADY_TOLD)


def test_d37_a_visit_that_has_begun_is_not_announced() -> None:
    assert messages(MORNING, [todays(8)], EIGHT) == []


def test_d20_a_day_begins_once_for_each_visit_whatever_its_generation() -> None:
    moved = TodaysVisit(APPOINTMENT, 2, datetime(2027, 3, 1, 15, tzinfo=UTC), told=False, to_come=False)

    [first], [second] = messages(MORNING, [todays()], EIGHT), messages(MORNING, [moved], EIGHT)

    assert first.notification_id == second.notification_id


def at(hour: int, **changes: object) -> Visit:
    return visit(appointment_id=uuid4(), starts_at=datetime(2027, 3, 1, hour, tzinfo=UTC), **changes)


def test_d18_each_provider_has_one_list_soonest_first() -> None:
    other = UUID(int=PROVIDER.int + 1)
    late, early, theirs = at(15), at(9, status=Status.ARRIVED), at(10, provider_id=other)

    lists = day_lists(MORNING, [late, theirs, early], EIGHT)

    assert [(one.provider_id, one.visits) for one in lists] == [(PROVIDER, (early, late)), (other, (theirs,))]
    assert {(one.notification.state, one.notification.lane) for one in lists} == {
        (NotificationState.ACCEPTED, Channel.IN_APP)
    }
    assert lists[0].notification.notification_id != lists[1].notification.notification_id


@pytest.mark.parametrize(
    "changes",
    [
        {"status": Status.CANCELLED},
        {"status": Status.NOSHOW},
        {"clinic_id": "SOUTH"},
        {"provider_id": None},
        {"provider_name": None},
        {"starts_at": datetime(2027, 3, 2, 0, tzinfo=UTC)},
        {"starts_at": None},
    ],
)
def test_d18_a_list_is_of_what_booking_says_now(changes: dict[str, object]) -> None:
    assert day_lists(MORNING, [visit(**{"starts_at": EIGHT, **changes})], EIGHT) == []


def test_d20_after_ten_no_list_is_given_and_it_says_why() -> None:
    [late] = day_lists(MORNING, [visit(starts_at=EIGHT)], TEN + timedelta(seconds=1))

    assert (late.notification.state, late.notification.reason) == (NotificationState.SKIPPED, Reason.TOO_LATE)
