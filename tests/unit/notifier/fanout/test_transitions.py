"""What happened to a visit: held against arriving, folded in order."""

from datetime import timedelta
from typing import Any

import pytest

from notifier.fanout.domain.transitions import NOTICES, Held, Transition, VisitReading, fold, transition
from schemas.appointments import Status
from schemas.notifications import Kind
from tests.support.notifier.builders import APPOINTMENT, NOW, PATIENT, STARTS

BEFORE_BOOKING = (Status.PROPOSED, Status.PENDING, Status.WAITLIST)


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


def held(status: Status = Status.BOOKED, number: int = 1, generation: int = 1, clinic: str | None = "NORTH") -> Held:
    return Held(number, status, generation, STARTS, clinic)


LATER = STARTS + timedelta(hours=1)


def happened(*versions: VisitReading, known: dict[str, Held] | None = None) -> list[tuple[Transition, int]]:
    return [(one.transition, one.visit.version) for one in fold(versions, known or {}).happened]


@pytest.mark.parametrize("before", [None, *BEFORE_BOOKING, Status.CANCELLED, Status.NOSHOW, Status.ENTERED_IN_ERROR])
def test_r20_a_visit_that_was_not_booked_and_now_is_was_booked(before: Status | None) -> None:
    assert transition(held(before) if before else None, version(2)) is Transition.BOOKED


@pytest.mark.parametrize("before", [Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED])
def test_a_correction_back_to_booked_is_no_booking(before: Status) -> None:
    assert transition(held(before), version(2)) is None


def test_d11_a_change_of_room_or_provider_is_nothing_to_tell() -> None:
    assert transition(held(), version(2)) is None


@pytest.mark.parametrize("fields", [{"starts_at": LATER}, {"clinic_id": "SOUTH"}])
def test_d10_r27_another_time_or_clinic_is_a_move(fields: dict[str, Any]) -> None:
    assert transition(held(), version(2, generation=2, **fields)) is Transition.MOVED


def test_d11_another_generation_at_the_same_time_and_place_is_nothing_to_tell() -> None:
    """A change of the service raises the generation when its rules differ; the patient comes as before."""
    assert transition(held(), version(2, generation=2)) is None
    assert transition(held(clinic=None), version(2, generation=2)) is None


def test_a_cancellation_counts_only_for_what_was_booked() -> None:
    cancelled = version(2, Status.CANCELLED)

    assert transition(held(), cancelled) is Transition.CANCELLED
    assert transition(held(Status.PENDING), cancelled) is None
    assert transition(None, cancelled) is None


@pytest.mark.parametrize("status", [Status.ARRIVED, Status.CHECKED_IN])
@pytest.mark.parametrize("before", [None, Status.BOOKED, Status.NOSHOW, *BEFORE_BOOKING])
def test_r28_a_patient_who_was_not_here_and_now_is_has_arrived(before: Status | None, status: Status) -> None:
    assert transition(held(before) if before else None, version(2, status)) is Transition.ARRIVED


def test_r28_a_patient_arrives_once() -> None:
    assert happened(version(1, Status.ARRIVED), version(2, Status.CHECKED_IN), version(3, Status.FULFILLED)) == [
        (Transition.ARRIVED, 1)
    ]


def test_d19_a_no_show_is_one_only_of_a_visit_that_was_booked() -> None:
    missed = version(2, Status.NOSHOW)

    assert transition(held(), missed) is Transition.NOSHOW
    assert transition(None, missed) is None
    assert transition(held(Status.ARRIVED), missed) is None


@pytest.mark.parametrize("status", [*BEFORE_BOOKING, Status.FULFILLED, Status.ENTERED_IN_ERROR])
def test_d37_other_statuses_are_nothing_to_tell(status: Status) -> None:
    assert transition(None, version(1, status)) is None
    assert transition(held(), version(2, status)) is None


def test_every_kind_but_those_with_an_hour_of_their_own_comes_of_a_transition() -> None:
    timed = {Kind.REMINDER, Kind.TODAY, Kind.PROVIDER_DAY}

    assert {kind for kinds in NOTICES.values() for kind in kinds} == set(Kind) - timed


def test_d37_when_a_visit_turned_is_when_it_was_last_booked_or_cancelled() -> None:
    batch = (
        version(1),
        version(2, Status.CANCELLED, ingest_time=NOW + timedelta(minutes=1)),
        version(3, Status.CANCELLED, ingest_time=NOW + timedelta(minutes=9)),
    )

    assert fold(batch, {}).newest[str(APPOINTMENT)].turned_at == NOW + timedelta(minutes=1)


def test_several_versions_in_one_batch_are_folded_in_order_and_each_counts() -> None:
    batch = (
        version(1),
        version(2, generation=2, starts_at=LATER),
        version(3, Status.CANCELLED, 2),
        version(4, generation=3),
    )

    assert happened(*batch) == [
        (Transition.BOOKED, 1),
        (Transition.MOVED, 2),
        (Transition.CANCELLED, 3),
        (Transition.BOOKED, 4),
    ]


def test_g3_repeats_and_stale_versions_change_nothing() -> None:
    folded = fold([version(2), version(2), version(1), version(3)], {str(APPOINTMENT): held(number=2)})

    assert (folded.repeat, folded.stale) == ([0, 1], [2])
    assert folded.happened == []
    assert folded.newest[str(APPOINTMENT)].visit.version == 3


def test_a_first_sight_of_a_later_version_still_tells_of_the_booking() -> None:
    assert happened(version(7, generation=3)) == [(Transition.BOOKED, 7)]
