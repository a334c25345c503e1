"""What happened to a visit: held against arriving, folded in order."""

from typing import Any

import pytest

from notifier.domain.transitions import Held, Transition, VisitReading, fold, transition
from schemas.appointments import Status
from tests.unit.notifier.builders import APPOINTMENT, PATIENT, STARTS

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
            **fields,
        }
    )


def happened(*versions: VisitReading, held: dict[str, Held] | None = None) -> list[tuple[Transition, int]]:
    return [(one.transition, one.visit.version) for one in fold(versions, held or {}).happened]


@pytest.mark.parametrize("before", [None, *BEFORE_BOOKING, Status.CANCELLED, Status.NOSHOW, Status.ENTERED_IN_ERROR])
def test_r20_a_visit_that_was_not_booked_and_now_is_was_booked(before: Status | None) -> None:
    held = Held(1, before, 1) if before else None

    assert transition(held, version(2)) is Transition.BOOKED


@pytest.mark.parametrize("before", [Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED])
def test_a_correction_back_to_booked_is_no_booking(before: Status) -> None:
    assert transition(Held(1, before, 1), version(2)) is None


def test_d11_a_change_of_room_or_provider_is_nothing_to_tell() -> None:
    assert transition(Held(1, Status.BOOKED, 1), version(2)) is None


def test_d10_another_generation_of_a_booked_visit_is_a_move() -> None:
    assert transition(Held(1, Status.BOOKED, 1), version(2, generation=2)) is Transition.MOVED


def test_a_cancellation_counts_only_for_what_was_booked() -> None:
    cancelled = version(2, Status.CANCELLED)

    assert transition(Held(1, Status.BOOKED, 1), cancelled) is Transition.CANCELLED
    assert transition(Held(1, Status.PENDING, 1), cancelled) is None
    assert transition(None, cancelled) is None


@pytest.mark.parametrize("status", [*BEFORE_BOOKING, Status.ARRIVED, Status.ENTERED_IN_ERROR, Status.NOSHOW])
def test_d37_other_statuses_are_nothing_to_tell(status: Status) -> None:
    assert transition(None, version(1, status)) is None
    assert transition(Held(1, Status.BOOKED, 1), version(2, status)) is None


def test_several_versions_in_one_batch_are_folded_in_order_and_each_counts() -> None:
    batch = (version(1), version(2, generation=2), version(3, Status.CANCELLED, 2), version(4, generation=3))

    assert happened(*batch) == [
        (Transition.BOOKED, 1),
        (Transition.MOVED, 2),
        (Transition.CANCELLED, 3),
        (Transition.BOOKED, 4),
    ]


def test_g3_repeats_and_stale_versions_change_nothing() -> None:
    folded = fold([version(2), version(2), version(1), version(3)], {str(APPOINTMENT): Held(2, Status.BOOKED, 1)})

    assert (folded.applied, folded.repeat, folded.stale) == (1, 2, 1)
    assert folded.happened == []
    assert folded.newest[str(APPOINTMENT)].version == 3


def test_a_first_sight_of_a_later_version_still_tells_of_the_booking() -> None:
    assert happened(version(7, generation=3)) == [(Transition.BOOKED, 7)]
