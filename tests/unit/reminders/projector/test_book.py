"""The reminder records as a fold: in any order, however often, the same result."""

from datetime import time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminders.projector.domain.book import Book, on_cancelled, on_due, on_outcome, on_planned, rises
from schemas.appointments import Appointment, SendWindow, Status
from schemas.notifications import DeliveryState, Kind, NotificationChanged, Outcome
from schemas.planning import plan
from schemas.reminders import (
    PlannedReminder,
    Reason,
    ReminderDue,
    RemindersCancelled,
    RemindersPlanned,
    ReminderStatus,
)
from schemas.wire import notification_id, reminder_id
from tests.support.reminders.builders import NOW, VISIT, appointment, id_of, rule

VISIT_ID = id_of("visit")
statuses = st.sampled_from(ReminderStatus)
Event = RemindersPlanned | RemindersCancelled | ReminderDue | NotificationChanged


def planned(event: Appointment, *only: PlannedReminder) -> RemindersPlanned:
    reminders = only or plan(event)
    return RemindersPlanned(
        appointment_id=event.appointment_id,
        version=event.version,
        schedule_gen=event.schedule_gen,
        patient_id=event.patient_id,
        clinic_id=event.clinic_id,
        reminders=reminders,
        caused_by="booking",
        starts_at=event.starts_at,
    )


def never(event: Appointment, reason: Reason, *slugs: str) -> RemindersCancelled:
    """Say of some of an appointment's reminders that they came due and will never leave."""
    cancelled = {"status": ReminderStatus.CANCELLED, "reason": reason}
    return RemindersCancelled(
        appointment_id=event.appointment_id,
        version=event.version,
        schedule_gen=event.schedule_gen,
        reminders=tuple(r.model_copy(update=cancelled) for r in plan(event) if r.rule in slugs),
        caused_by="booking",
        starts_at=event.starts_at,
    )


def due(slug: str = "24h", schedule_gen: int = 1, hours: int = 24) -> ReminderDue:
    return ReminderDue(
        reminder_id=reminder_id(VISIT_ID, schedule_gen, slug),
        appointment_id=VISIT_ID,
        version=1,
        schedule_gen=schedule_gen,
        rule=slug,
        due=VISIT - timedelta(hours=hours),
        not_after=VISIT - timedelta(hours=hours / 4),
        caused_by="booking",
        starts_at=VISIT,
    )


def told(
    outcome: Outcome,
    reason: Reason | None = None,
    *,
    slug: str = "24h",
    version: int = 1,
    after: DeliveryState = DeliveryState.UNKNOWN,
) -> NotificationChanged:
    cause = reminder_id(VISIT_ID, 1, slug)
    return NotificationChanged(
        notification_id=notification_id((cause,), "patient", "reminder"),
        version=version,
        appointment_id=VISIT_ID,
        schedule_gen=1,
        kind=Kind.REMINDER,
        recipient="patient",
        reminder_id=cause,
        outcome=outcome,
        reason=reason,
        delivery_state=after,
        at=VISIT - timedelta(hours=24),
        attempts=1,
        caused_by="due",
    )


def fold(*events: Event, book: Book | None = None) -> Book:
    book = book or Book(VISIT_ID)
    for event in events:
        match event:
            case RemindersPlanned():
                on_planned(book, event, NOW, "planned")
            case RemindersCancelled():
                on_cancelled(book, event, NOW, "cancelled")
            case ReminderDue():
                on_due(book, event, event.due, "due")
            case NotificationChanged():
                assert event.reminder_id is not None
                on_outcome(book, event, event.reminder_id, "told")
    return book


def found(book: Book) -> dict[tuple[int, str | None], tuple[str, str | None]]:
    return {(r.schedule_gen, r.rule): (r.status, r.reason) for r in book.reminders.values()}


def join(held: ReminderStatus, arriving: ReminderStatus) -> ReminderStatus:
    return arriving if rises(held, arriving) else held


@given(statuses, statuses, statuses)
def test_r13_the_lattice_is_commutative_associative_and_idempotent(
    a: ReminderStatus, b: ReminderStatus, c: ReminderStatus
) -> None:
    assert join(a, b) == join(b, a)
    assert join(join(a, b), c) == join(a, join(b, c))
    assert join(a, a) == a
    assert not rises(join(a, b), a)


def test_r11_a_planned_reminder_is_scheduled_and_knows_its_time() -> None:
    book = fold(planned(appointment()))

    assert found(book) == {(1, "24h"): ("SCHEDULED", None), (1, "2h"): ("SCHEDULED", None)}
    first = book.reminders[reminder_id(VISIT_ID, 1, "24h")]
    assert first.scheduled_for == VISIT - timedelta(hours=24)
    assert first.closes_at == VISIT + timedelta(hours=72)


NIGHT = NOW.replace(hour=6, minute=59) + timedelta(days=2)
"""Of its 1 h reminder the moment is closed: it moves to 20:30 of the evening before, nine hours and a half earlier."""


@pytest.mark.parametrize("told_by", ["plan", "correction", "hand-over"])
def test_g7_a_reminder_that_the_hours_moved_is_closed_72_hours_after_the_visit_too(told_by: str) -> None:
    moved = appointment(starts_at=NIGHT, rules=(rule("1h", hours=1),))
    (listed,) = plan(moved)
    assert listed.due == NIGHT.replace(hour=20, minute=30) - timedelta(days=1)
    handed = ReminderDue(
        **{**due().model_dump(), **listed.model_dump(include={"reminder_id", "rule", "due", "not_after"})}
    )
    events: dict[str, Event] = {
        "plan": planned(moved),
        "correction": never(moved, Reason.TOO_LATE, "1h"),
        "hand-over": handed.model_copy(update={"starts_at": NIGHT}),
    }

    (record,) = fold(events[told_by]).reminders.values()

    assert record.closes_at == NIGHT + timedelta(hours=72)


def test_g7_an_event_of_an_earlier_release_does_not_name_the_start_of_the_visit() -> None:
    early = planned(appointment()).model_copy(update={"starts_at": None})

    assert {r.closes_at for r in fold(early).reminders.values()} == {VISIT + timedelta(hours=72)}


def test_d14_born_cancelled_with_its_reason() -> None:
    soon = appointment(starts_at=NOW + timedelta(hours=5))

    assert found(fold(planned(soon)))[(1, "24h")] == ("CANCELLED", "DUE_IN_PAST")


def test_r14_a_cancellation_says_how_many_it_cancelled() -> None:
    book = fold(planned(appointment()))

    cancelled = on_planned(book, planned(appointment(version=2, status=Status.CANCELLED)), NOW, "cancel")

    assert len(cancelled) == 2
    assert set(found(book).values()) == {("CANCELLED", "APPOINTMENT_CANCELLED")}


def test_r14_what_was_cancelled_before_is_not_counted_again() -> None:
    book = fold(planned(appointment(starts_at=NOW + timedelta(hours=5))))
    cancel = appointment(version=2, status=Status.CANCELLED, starts_at=NOW + timedelta(hours=5))

    assert len(on_planned(book, planned(cancel), NOW, "cancel")) == 1
    assert found(book)[(1, "24h")] == ("CANCELLED", "DUE_IN_PAST")


def test_d10_a_move_cancels_the_earlier_schedule_and_keeps_the_new() -> None:
    moved = appointment(version=2, schedule_gen=2, starts_at=VISIT + timedelta(days=1))
    book = fold(planned(appointment()))

    cancelled = on_planned(book, planned(moved), NOW, "move")

    assert len(cancelled) == 2
    assert found(book)[(1, "2h")] == ("CANCELLED", "RESCHEDULED")
    assert found(book)[(2, "2h")] == ("SCHEDULED", None)


def test_a_rule_that_went_takes_its_reminder_with_it() -> None:
    without = appointment(version=2, rules=(rule("24h", hours=24),))

    assert found(fold(planned(appointment()), planned(without)))[(1, "2h")] == ("CANCELLED", "SUPERSEDED")


QUIET = SendWindow(opens=time(9), closes=time(17))  # the visit's 2 h reminder is due at seven


def test_d16_the_newest_plan_brings_back_what_an_older_one_could_not_let_leave() -> None:
    book = fold(planned(appointment(window=QUIET)), planned(appointment(version=2)))

    assert found(book) == {(1, "24h"): ("SCHEDULED", None), (1, "2h"): ("SCHEDULED", None)}


def test_an_older_plan_says_nothing_of_what_a_newer_one_lists() -> None:
    book = fold(planned(appointment(version=2)), planned(appointment(window=QUIET)))

    assert found(book)[(1, "2h")] == ("SCHEDULED", None)


def test_no_plan_brings_back_what_the_notifier_has_spoken_of() -> None:
    skipped = told(Outcome.SKIPPED, Reason.NO_CONTACT)

    book = fold(planned(appointment()), due(), skipped, planned(appointment(version=2)))

    assert found(book)[(1, "24h")] == ("CANCELLED", "NO_CONTACT")


def test_once_handed_over_only_the_notifier_decides() -> None:
    cancel = planned(appointment(version=2, status=Status.CANCELLED))

    assert found(fold(planned(appointment()), due(), cancel))[(1, "24h")] == ("SCHEDULED", None)
    skipped = told(Outcome.SKIPPED, Reason.APPOINTMENT_CANCELLED)
    after = fold(planned(appointment()), due(), cancel, skipped)
    assert found(after)[(1, "24h")] == ("CANCELLED", "APPOINTMENT_CANCELLED")


def test_d15_a_correction_cancels_what_was_too_late_and_nothing_else() -> None:
    first = plan(appointment())[0]
    late = first.model_copy(update={"status": ReminderStatus.CANCELLED, "reason": Reason.TOO_LATE})

    book = fold(planned(appointment()), planned(appointment(), late))

    assert found(book) == {(1, "24h"): ("CANCELLED", "TOO_LATE"), (1, "2h"): ("SCHEDULED", None)}


def test_d15_what_will_never_leave_is_cancelled_and_everything_else_stays() -> None:
    book = fold(planned(appointment()))

    cancelled = on_cancelled(book, never(appointment(), Reason.TOO_LATE, "24h"), NOW, "late")

    assert [reminder.rule for reminder in cancelled] == ["24h"]
    assert found(book) == {(1, "24h"): ("CANCELLED", "TOO_LATE"), (1, "2h"): ("SCHEDULED", None)}
    assert on_cancelled(book, never(appointment(), Reason.TOO_LATE, "24h"), NOW, "again") == []


def test_d15_a_correction_of_an_older_version_takes_nothing_from_the_newer() -> None:
    later = appointment(version=2, rules=(rule("24h", hours=24), rule("2h", hours=2), rule("1h", hours=1)))

    book = fold(planned(later), never(appointment(), Reason.SUPERSEDED, "24h"))

    assert found(book) == {
        (1, "24h"): ("CANCELLED", "SUPERSEDED"),
        (1, "2h"): ("SCHEDULED", None),
        (1, "1h"): ("SCHEDULED", None),
    }
    assert book.version == 2


def test_d15_a_correction_may_come_before_its_plan_or_after_the_hand_over() -> None:
    late = never(appointment(), Reason.TOO_LATE, "24h")
    before, after = fold(late, planned(appointment())), fold(planned(appointment()), late)

    assert found(before) == found(after)
    assert before.reminders == {
        key: held._replace(caused_by=before.reminders[key].caused_by) for key, held in after.reminders.items()
    }
    assert found(fold(planned(appointment()), due(), late))[(1, "24h")] == ("SCHEDULED", None)


@pytest.mark.parametrize(
    ("before", "stays"),
    [
        (planned(appointment(version=2, status=Status.CANCELLED)), ("CANCELLED", "APPOINTMENT_CANCELLED")),
        (told(Outcome.ACCEPTED), ("SENT", None)),
        (told(Outcome.FAILED, Reason.REFUSED), ("FAILED", "REFUSED")),
        (told(Outcome.SKIPPED, Reason.NO_CONTACT), ("CANCELLED", "NO_CONTACT")),
    ],
)
def test_r13_a_correction_lowers_no_record_and_gives_no_second_reason(
    before: Event, stays: tuple[str, str | None]
) -> None:
    """Also when it is read after an outcome whose hand-over was not read yet: they come by two topics."""
    book = fold(before, never(appointment(), Reason.TOO_LATE, "24h"))

    assert found(book)[(1, "24h")] == stays


@pytest.mark.parametrize(
    ("outcome", "reason", "status"),
    [
        (Outcome.ACCEPTED, None, "SENT"),
        (Outcome.FAILED, Reason.REFUSED, "FAILED"),
        (Outcome.SKIPPED, Reason.CHANNELS_DISABLED, "CANCELLED"),
        (Outcome.UNKNOWN, None, "SCHEDULED"),
    ],
)
def test_r25_the_notifiers_outcome_is_the_reminders(outcome: Outcome, reason: Reason | None, status: str) -> None:
    book = fold(planned(appointment()), due(), told(outcome, reason))

    sent = book.reminders[reminder_id(VISIT_ID, 1, "24h")]
    assert (sent.status, sent.reason) == (status, reason)
    assert sent.notification_id is not None
    assert (sent.sent_at is not None) == (status == "SENT")


def test_a_person_may_send_again_what_failed() -> None:
    book = fold(planned(appointment()), due(), told(Outcome.FAILED, Reason.REFUSED), told(Outcome.ACCEPTED, version=2))

    assert found(book)[(1, "24h")] == ("SENT", None)


@settings(deadline=None)  # on a busy machine an example may take any time
@given(st.permutations([state for state in DeliveryState for _ in range(2)]))
def test_d17_what_happened_after_sending_only_moves_forward_in_whatever_order_it_is_told(
    states: list[DeliveryState],
) -> None:
    book = fold(planned(appointment()), due(), told(Outcome.ACCEPTED))
    held = [DeliveryState.UNKNOWN]
    for version, state in enumerate(states, 2):
        fold(told(Outcome.ACCEPTED, version=version, after=state), book=book)
        (sent,) = [one for one in book.reminders.values() if one.rule == "24h"]
        held.append(DeliveryState(sent.delivery_state or ""))

    assert held == sorted(held, key=list(DeliveryState).index)
    assert (sent.status, sent.delivery_state) == ("SENT", "read")


def test_d17_what_was_sent_and_did_not_arrive_stays_sent() -> None:
    lost = told(Outcome.FAILED, Reason.UNDELIVERED, version=2, after=DeliveryState.UNDELIVERED)
    for events in ([told(Outcome.ACCEPTED), lost], [lost, told(Outcome.ACCEPTED)]):
        book = fold(planned(appointment()), due(), *events)
        (sent,) = [one for one in book.reminders.values() if one.rule == "24h"]
        assert (sent.status, sent.delivery_state) == ("SENT", "undelivered")


def test_a_repeat_changes_nothing() -> None:
    events: list[Event] = [planned(appointment()), due(), told(Outcome.ACCEPTED)]
    book = fold(*events)
    book.changed.clear()

    fold(*events, book=book)

    assert book.changed == {}


STORIES: dict[str, tuple[list[Event], list[NotificationChanged]]] = {
    "forbidden, brought back and sent": (
        [planned(appointment(window=QUIET)), planned(appointment(version=2)), due("2h", hours=2)],
        [told(Outcome.ACCEPTED, slug="2h")],
    ),
    "sent": ([planned(appointment()), due()], [told(Outcome.ACCEPTED)]),
    "unknown, then settled": (
        [planned(appointment()), due()],
        [told(Outcome.UNKNOWN), told(Outcome.ACCEPTED, version=2)],
    ),
    "cancelled after the hand-over": (
        [planned(appointment()), due(), planned(appointment(version=2, status=Status.CANCELLED))],
        [told(Outcome.SKIPPED, Reason.APPOINTMENT_CANCELLED)],
    ),
    "one too late, the other sent, then cancelled": (
        [
            planned(appointment()),
            never(appointment(), Reason.TOO_LATE, "24h"),
            due("2h", hours=2),
            planned(appointment(version=2, status=Status.CANCELLED)),
        ],
        [told(Outcome.ACCEPTED, slug="2h")],
    ),
    "undelivered, then read on the next channel": (
        [planned(appointment()), due()],
        [
            told(Outcome.ACCEPTED),
            told(Outcome.ACCEPTED, version=2, after=DeliveryState.UNDELIVERED),
            told(Outcome.ACCEPTED, version=3, after=DeliveryState.UNDELIVERED),
            told(Outcome.ACCEPTED, version=4, after=DeliveryState.READ),
        ],
    ),
    "moved after the hand-over": (
        [planned(appointment()), due(), planned(appointment(version=2, schedule_gen=2))],
        [told(Outcome.ACCEPTED)],
    ),
}


@pytest.mark.parametrize("story", STORIES)
@given(data=st.data())
def test_the_two_topics_may_overtake_each_other_and_be_read_again(story: str, data: st.DataObject) -> None:
    ours, theirs = STORIES[story]
    expected = _essence(fold(*ours, *theirs))
    left: list[Event] = list(ours)
    right: list[Event] = list(theirs)
    order: list[Event] = []
    while left or right:
        ours_next = bool(left) and (not right or data.draw(st.booleans()))
        order.append(left.pop(0) if ours_next else right.pop(0))
    again = data.draw(st.integers(0, len(order)))

    assert _essence(fold(*order, *order[again:])) == expected


def _essence(book: Book) -> dict[tuple[int, str | None], tuple[object, ...]]:
    return {
        (r.schedule_gen, r.rule): (r.status, r.reason, r.handed_over_at, r.sent_at, r.notification_id, r.delivery_state)
        for r in book.reminders.values()
    }
