"""What the reconciler offers to the worker: planned anew, or taken back; what the source gives stays as it was."""

from datetime import timedelta

from reminders.planning.domain.corrections import MEND
from reminders.reconciler.worker_timers import Offered
from reminders.timers.ports import Outcome
from reminders.timers.row import NEVER, unpack
from schemas.appointments import Appointment, Status
from schemas.reminders import REMINDERS_CANCELLED, REMINDERS_PLANNED, RemindersCancelled, RemindersPlanned
from schemas.wire import decode, encode
from tests.support.reminders.builders import NOW, VISIT, appointment, headers_of, id_of, source_of
from tests.unit.reminders.planning.test_handle import KEY, Story, kinds

AT = (MEND, NOW.isoformat().encode())


def offered(event: Appointment | None) -> Offered:
    """Return what the reconciler offers: a version, or that nobody knows the appointment."""
    key = str(id_of("visit")).encode()
    if event is None:
        return Offered("appointments", 0, -1, key, None, (AT,))
    return Offered("appointments", 0, -1, key, encode(event), (*headers_of(event), AT))


def test_a_row_that_is_missing_is_planned_as_its_event_would() -> None:
    by_event, mended = Story(), Story()

    assert mended.take(offered(appointment())) == by_event.take(source_of(appointment()))


def test_a_row_of_another_schedule_is_taken_back_and_planned_anew() -> None:
    story = Story()
    story.take(source_of(appointment(version=2, schedule_gen=7, starts_at=VISIT + timedelta(days=1))))

    taken = story.take(offered(appointment(version=2, schedule_gen=2)))

    assert kinds(taken.messages) == [REMINDERS_CANCELLED, REMINDERS_PLANNED]
    withdrawn = decode(RemindersCancelled, taken.messages[0][1])
    assert (withdrawn.schedule_gen, {r.reason for r in withdrawn.reminders}) == (7, {"SUPERSEDED"})
    assert unpack(story.rows[KEY]).generation == 2
    assert [r.rule for r in decode(RemindersPlanned, taken.messages[1][1]).reminders] == ["24h", "2h"]


def test_timers_of_what_was_cancelled_in_the_same_version_are_cancelled() -> None:
    story = Story()
    story.take(source_of(appointment()))

    taken = story.take(offered(appointment(status=Status.CANCELLED)))

    assert unpack(story.rows[KEY]).next_due == NEVER
    plan = decode(RemindersPlanned, taken.messages[0][1])
    assert {(r.status, r.reason) for r in plan.reminders} == {("CANCELLED", "APPOINTMENT_CANCELLED")}


def test_g4_what_fired_does_not_fire_again() -> None:
    story = Story()
    story.take(source_of(appointment()))
    story.fire(24)
    before = unpack(story.rows[KEY])

    story.take(offered(appointment()))

    assert unpack(story.rows[KEY]) == before


def test_timers_of_what_nobody_knows_are_taken_back_once() -> None:
    story = Story()
    story.take(source_of(appointment()))

    taken, again = story.take(offered(None)), story.take(offered(None))

    withdrawn = decode(RemindersCancelled, taken.messages[0][1])
    assert {(r.rule, r.status, r.reason) for r in withdrawn.reminders} == {
        ("24h", "CANCELLED", "NOT_SENDABLE"),
        ("2h", "CANCELLED", "NOT_SENDABLE"),
    }
    assert unpack(story.rows[KEY]).next_due == NEVER
    assert again.messages == []
    assert Story().take(offered(None)).messages == []


def test_an_older_version_that_is_offered_changes_nothing() -> None:
    story = Story()
    story.take(source_of(appointment(version=3, schedule_gen=2)))

    taken = story.take(offered(appointment(version=2)))

    assert (taken.rows, taken.messages, taken.outcomes) == ({}, [], {Outcome.STALE: 1})


def test_a_repeat_by_the_source_is_a_repeat_whatever_it_says() -> None:
    story = Story()
    story.take(source_of(appointment()))

    assert story.take(source_of(appointment(status=Status.CANCELLED))).outcomes == {Outcome.REPEAT: 1}
