"""What a change has to say, and how two messages become one (D37)."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from notifier.fanout.domain.notices import (
    FOLLOW_UP_WITHIN,
    may_take_place,
    messages_for,
    supersede,
    take_place,
)
from notifier.fanout.domain.transitions import Happened, Transition, VisitReading
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.states import NotificationState
from notifier.values.kinds import KINDS, REBOOKED_WITHIN
from schemas.appointments import IngestMode, Status
from schemas.notifications import Kind
from schemas.reminders import Reason
from schemas.wire import notification_id
from tests.support.notifier.builders import APPOINTMENT, NOW, PATIENT, STARTS, notification

OTHER = UUID("01890000-0000-7000-8000-00000000000b")


def reading(version: int = 1, generation: int = 1, mode: IngestMode = IngestMode.LIVE) -> VisitReading:
    return VisitReading(
        appointment_id=str(APPOINTMENT), version=version, status=Status.BOOKED, patient_id=str(PATIENT),
        clinic_id="NORTH", schedule_gen=generation, ingest_time=NOW, starts_at=STARTS,
        ends_at=STARTS + timedelta(minutes=30), mode=mode,
    )  # fmt: skip


def made(what: Transition, version: int = 1, mode: IngestMode = IngestMode.LIVE) -> dict[Kind, Notification]:
    return {one.kind: one for one in messages_for(Happened(what, reading(version, version, mode), APPOINTMENT), NOW)}


def news(what: Transition, version: int) -> Notification:
    """Return what a change has to say to the patient."""
    [notice] = [one for one in made(what, version).values() if KINDS[one.kind].category]
    return notice


def test_r20_r22_r27_r28_each_change_has_its_messages() -> None:
    assert {what: tuple(made(what)) for what in Transition} == {
        Transition.BOOKED: (Kind.PROVIDER_BOOKED, Kind.CONFIRMATION),
        Transition.MOVED: (Kind.PROVIDER_MOVED, Kind.MOVED),
        Transition.CANCELLED: (Kind.PROVIDER_CANCELLED, Kind.CANCELLED),
        Transition.ARRIVED: (Kind.PROVIDER_ARRIVED,),
        Transition.NOSHOW: (Kind.NO_SHOW,),
    }


@pytest.mark.parametrize("what", Transition)
def test_d43_b5_imported_history_tells_nobody(what: Transition) -> None:
    told = made(what, mode=IngestMode.BACKFILL).values()

    assert {(one.state, one.reason) for one in told} == {(NotificationState.SKIPPED, Reason.BACKFILL)}


def test_d37_only_a_cancellation_notice_waits() -> None:
    every = {kind: one for what in Transition for kind, one in made(what).items()}

    assert every.pop(Kind.CANCELLED).next_attempt_at == NOW + REBOOKED_WITHIN
    assert {one.next_attempt_at for one in every.values()} == {NOW}


def test_an_arrival_is_news_until_the_visit_ends_and_a_missed_visit_for_two_days_more() -> None:
    ends = STARTS + timedelta(minutes=30)

    assert made(Transition.ARRIVED)[Kind.PROVIDER_ARRIVED].not_after == ends
    assert made(Transition.NOSHOW)[Kind.NO_SHOW].not_after == ends + FOLLOW_UP_WITHIN


def test_ids_are_of_visit_generation_and_transition_so_a_repeat_is_the_same_message() -> None:
    confirmation = made(Transition.BOOKED)[Kind.CONFIRMATION]

    assert confirmation == made(Transition.BOOKED)[Kind.CONFIRMATION]
    assert confirmation.notification_id == notification_id((APPOINTMENT, 1, "booked"), "patient", "confirmation")


def test_d37_two_moves_in_a_row_are_one_message() -> None:
    first, second = news(Transition.MOVED, 2), news(Transition.MOVED, 3)

    new, gone = supersede([second], [first])

    assert new == [second]
    assert [(one.notification_id, one.state, one.reason) for one in gone] == [
        (first.notification_id, NotificationState.SKIPPED, Reason.SUPERSEDED)
    ]


def test_d37_several_changes_in_one_batch_leave_the_newest_one_to_say() -> None:
    """Book, move, cancel, un-cancel: one message, and it says that the visit has moved, or confirms it."""
    batch = [
        news(what, version)
        for version, what in enumerate(
            (Transition.BOOKED, Transition.MOVED, Transition.CANCELLED, Transition.BOOKED), start=1
        )
    ]

    new, gone = supersede(batch, [])

    assert [(one.kind, one.state, one.reason) for one in new] == [
        (Kind.CONFIRMATION, NotificationState.SKIPPED, Reason.SUPERSEDED),
        (Kind.MOVED, NotificationState.SKIPPED, Reason.APPOINTMENT_CANCELLED),
        (Kind.CANCELLED, NotificationState.SKIPPED, Reason.SUPERSEDED),
        (Kind.MOVED, NotificationState.QUEUED, None),
    ]
    assert gone == []


def test_d37_an_un_cancelled_visit_is_a_move_while_the_cancellation_waits_and_a_booking_after_it() -> None:
    waiting, again = news(Transition.CANCELLED, 2), news(Transition.BOOKED, 3)

    [moved], [gone] = supersede([again], [waiting])

    assert (moved.kind, moved.notification_id, gone.reason) == (Kind.MOVED, again.notification_id, Reason.SUPERSEDED)
    assert supersede([again], []) == ([again], [])


def test_a_confirmation_that_never_left_ends_with_the_cancellation() -> None:
    _, [gone] = supersede([news(Transition.CANCELLED, 2)], [news(Transition.BOOKED, 1)])

    assert gone.reason is Reason.APPOINTMENT_CANCELLED


def test_what_is_no_news_of_a_change_supersedes_nothing_and_is_left_alone() -> None:
    waiting, moved, missed = notification(kind=Kind.REMINDER), news(Transition.MOVED, 2), news(Transition.NOSHOW, 3)

    assert supersede([moved, missed], [waiting]) == ([moved, missed], [])


def test_d43_imported_history_supersedes_nothing() -> None:
    imported = made(Transition.MOVED, 2, IngestMode.BACKFILL)[Kind.MOVED]

    assert supersede([imported], [news(Transition.BOOKED, 1)]) == ([imported], [])


def test_d37_a_cancelled_visit_and_one_booked_in_its_place_are_one_move() -> None:
    cancelled = replace(news(Transition.CANCELLED, 2), appointment_id=OTHER)
    booking = replace(news(Transition.BOOKED, 1), next_attempt_at=NOW + REBOOKED_WITHIN)

    gone, moved = take_place(cancelled, booking, NOW)

    assert (gone.state, gone.reason) == (NotificationState.SKIPPED, Reason.SUPERSEDED)
    assert (moved.kind, moved.replaces, moved.next_attempt_at) == (Kind.MOVED, OTHER, NOW)
    assert moved.notification_id == booking.notification_id


@pytest.mark.parametrize(
    "changes", [{"state": NotificationState.SENDING}, {"state": NotificationState.ACCEPTED}, {"attempts": 1}]
)
def test_d37_what_was_called_for_is_no_longer_folded(changes: dict[str, object]) -> None:
    cancelled, booking = news(Transition.CANCELLED, 2), news(Transition.BOOKED, 1)

    assert may_take_place(cancelled, booking)
    assert not may_take_place(replace(cancelled, **changes), booking)  # type: ignore[arg-type]  # the test's own names
    assert not may_take_place(cancelled, replace(booking, **changes))  # type: ignore[arg-type]  # the test's own names


def test_d37_a_move_that_is_itself_moved_still_takes_the_others_place() -> None:
    waiting = replace(news(Transition.BOOKED, 1), kind=Kind.MOVED, replaces=OTHER)

    [again], _ = supersede([news(Transition.MOVED, 2)], [waiting])

    assert (again.kind, again.replaces) == (Kind.MOVED, OTHER)


def test_d37_a_visit_cancelled_before_its_patient_heard_of_it_cancels_the_one_that_he_knows() -> None:
    waiting = replace(news(Transition.BOOKED, 1), kind=Kind.MOVED, replaces=OTHER)

    [cancelled], [gone] = supersede([news(Transition.CANCELLED, 2)], [waiting])

    assert (cancelled.kind, cancelled.appointment_id, cancelled.state) == (
        Kind.CANCELLED,
        OTHER,
        NotificationState.QUEUED,
    )
    assert gone.reason is Reason.APPOINTMENT_CANCELLED
