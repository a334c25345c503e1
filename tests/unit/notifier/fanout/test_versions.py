"""A batch of versions: held against arriving, folded in order."""

from datetime import timedelta
from typing import Any

import pytest

from notifier.fanout.domain.versions import Happening, Held, VisitReading, fold, happenings
from schemas.appointments import Status
from tests.support.notifier.builders import APPOINTMENT, NOW, PATIENT, STARTS

BEFORE_BOOKING = (Status.PROPOSED, Status.PENDING, Status.WAITLIST)
LATER = STARTS + timedelta(hours=1)


def version(number: int, status: Status = Status.BOOKED, generation: int = 1, **fields: Any) -> VisitReading:
    return VisitReading.model_validate(
        {
            "appointment_id": str(APPOINTMENT),
            "version": number,
            "status": status,
            "patient_id": str(PATIENT),
            "clinic_id": "NORTH",
            "schedule_gen": generation,
            "starts_at": STARTS,
            "ingest_time": NOW,
            **fields,
        }
    )


def happening(before: Status | None, after: Status, *flags: str) -> list[Happening]:
    return list(happenings(before, version(2, after, flags=flags or None)))


def held(status: Status = Status.BOOKED, number: int = 1) -> dict[str, Held]:
    return {str(APPOINTMENT): Held(number, status, STARTS, "NORTH", str(PATIENT))}


@pytest.mark.parametrize("status", [Status.ARRIVED, Status.CHECKED_IN])
@pytest.mark.parametrize("before", [None, Status.BOOKED, Status.NOSHOW, *BEFORE_BOOKING])
def test_r28_a_patient_who_was_not_here_and_now_is_has_arrived(before: Status | None, status: Status) -> None:
    assert happening(before, status) == [Happening.ARRIVED]


def test_r28_a_patient_arrives_once() -> None:
    batch = (version(1, Status.ARRIVED), version(2, Status.CHECKED_IN), version(3, Status.FULFILLED))

    assert [(one.what, one.visit.version) for one in fold(batch, {}).happened] == [(Happening.ARRIVED, 1)]


def test_d19_a_no_show_is_one_only_of_a_visit_that_was_booked() -> None:
    assert happening(Status.BOOKED, Status.NOSHOW) == [Happening.NOSHOW]
    assert happening(None, Status.NOSHOW) == []
    assert happening(Status.ARRIVED, Status.NOSHOW) == []


@pytest.mark.parametrize("status", [Status.CHECKED_IN, Status.FULFILLED])
def test_a_check_in_of_a_visit_that_is_not_cleared_is_news_whatever_was_before(status: Status) -> None:
    assert happening(Status.ARRIVED, status, "NOT_CLEARED") == [Happening.NOT_CLEARED]
    assert happening(Status.ARRIVED, status, "ILLEGAL_TRANSITION") == []
    arrived = [Happening.ARRIVED] if status is Status.CHECKED_IN else []
    assert happening(Status.BOOKED, status, "ILLEGAL_TRANSITION", "NOT_CLEARED") == [*arrived, Happening.NOT_CLEARED]


@pytest.mark.parametrize("status", [*BEFORE_BOOKING, Status.BOOKED, Status.CANCELLED, Status.FULFILLED])
def test_what_is_so_and_did_not_just_happen_is_no_happening(status: Status) -> None:
    assert happening(None, status) == []
    assert happening(Status.BOOKED, status) == []


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({}, False),
        ({"generation": 2}, False),
        ({"service_type": "Surgery"}, False),
        ({"starts_at": LATER}, True),
        ({"clinic_id": "SOUTH"}, True),
        ({"patient_id": "01890000-0000-7000-8000-00000000000c"}, True),
        ({"provider_id": "01890000-0000-7000-8000-00000000000d"}, True),
        ({"status": Status.ARRIVED}, True),
    ],
)
def test_d58_only_what_somebody_may_have_been_told_is_looked_at_again(fields: dict[str, Any], changed: bool) -> None:
    assert fold([version(2, **fields)], held()).newest[str(APPOINTMENT)].changed is changed
    assert fold([version(2, **fields), version(3, **fields)], held()).newest[str(APPOINTMENT)].changed is changed
    assert fold([version(2, **fields)], {}).newest[str(APPOINTMENT)].changed


def test_d37_when_a_visit_turned_is_when_it_last_began_or_ceased_to_be_booked() -> None:
    batch = (
        version(1),
        version(2, Status.CANCELLED, ingest_time=NOW + timedelta(minutes=1)),
        version(3, Status.CANCELLED, ingest_time=NOW + timedelta(minutes=9)),
    )

    kept = fold(batch, {}).newest[str(APPOINTMENT)]

    assert (kept.turned_at, kept.turned) == (NOW + timedelta(minutes=1), True)
    assert not fold([version(2)], held()).newest[str(APPOINTMENT)].turned


def test_g3_repeats_and_stale_versions_change_nothing() -> None:
    folded = fold([version(2), version(2), version(1), version(3)], held(number=2))

    assert (folded.repeat, folded.stale) == ([0, 1], [2])
    assert folded.newest[str(APPOINTMENT)].visit.version == 3
