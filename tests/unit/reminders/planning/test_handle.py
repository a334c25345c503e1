"""The worker's story, batch by batch, with fakes for nothing: it is pure."""

import json
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from reminders.planning.domain.events import LARGEST_CARRIED
from reminders.planning.handle import RemindersOwner
from reminders.planning.messages import RecordWording
from reminders.planning.visit_reader import cause_of, read_visit
from reminders.timers.ports import Fired, Message, Outcome, Source, Taken
from reminders.timers.row import NEVER, Row, pack, unpack
from reminders.timers.terms import TermsTable
from schemas.appointments import Status
from schemas.envelope import event_type
from schemas.instants import instant, micros
from schemas.reminders import (
    REMINDER_DEAD_LETTER,
    REMINDER_DUE,
    REMINDERS_CANCELLED,
    REMINDERS_PLANNED,
    ReminderDeadLetter,
    ReminderDue,
    RemindersCancelled,
    RemindersPlanned,
)
from schemas.wire import decode, event_id
from tests.support.reminders.builders import NOW, VISIT, appointment, id_of, rule, source_of

OWNER = RemindersOwner(read_visit, cause_of, RecordWording(lambda: NOW))
KEY = id_of("visit").bytes
DAY_BEFORE = VISIT - timedelta(hours=24)
ONE_RULE = (rule("24h", hours=24),)


class Story:
    """One partition's rows and terms, changed as the engine would."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.terms = TermsTable()

    def take(self, *records: Source) -> Taken:
        taken = OWNER.take(records, self.rows.get, self.terms)
        self.rows |= taken.rows
        return taken

    def fire(self, hours_before: float, *, prepare: bool = False) -> Fired:
        ready = {KEY: OWNER.prepare(KEY, self.rows[KEY], self.terms)} if prepare else {}
        fired = OWNER.fire([(KEY, self.rows[KEY])], ready, self.terms, VISIT - timedelta(hours=hours_before))
        self.rows |= fired.rows
        return fired


def kinds(messages: Sequence[Message]) -> list[str | None]:
    return [event_type(tuple(headers)) for _, _, headers in messages]


def ce_id(message: Message) -> bytes:
    return dict(message[2])["ce_id"]


def test_b1_a_plan_says_what_caused_it() -> None:
    taken = Story().take(source_of(appointment()))

    assert kinds(taken.messages) == [REMINDERS_PLANNED]
    plan = decode(RemindersPlanned, taken.messages[0][1])
    assert plan.caused_by == str(event_id(id_of("visit"), 1))
    assert taken.messages[0][0] == str(id_of("visit")).encode()
    assert list(taken.rows) == [KEY]


def test_g4_a_repeat_after_a_crash_is_an_identical_copy() -> None:
    first, again = (Story().take(source_of(appointment())) for _ in range(2))

    assert first == again


def test_an_event_already_held_changes_nothing() -> None:
    story = Story()
    story.take(source_of(appointment(version=2)))

    again = story.take(source_of(appointment(version=2)), source_of(appointment(version=1)))

    assert (again.messages, again.rows) == ([], {})
    assert again.outcomes == {Outcome.REPEAT: 1, Outcome.STALE: 1}


def test_versions_of_one_batch_are_folded_in_order_and_each_is_announced() -> None:
    versions = (appointment(), appointment(version=2, status=Status.CANCELLED), appointment(version=1))

    taken = Story().take(*map(source_of, versions))

    assert [decode(RemindersPlanned, value).version for _, value, _ in taken.messages] == [1, 2]
    assert unpack(taken.rows[KEY]).version == 2
    assert taken.outcomes == {Outcome.APPLIED: 2, Outcome.STALE: 1}


def test_versions_that_were_skipped_are_no_obstacle() -> None:
    story = Story()
    story.take(source_of(appointment(version=2)))
    story.take(source_of(appointment(version=9, status=Status.CANCELLED)))

    row = unpack(story.rows[KEY])
    assert (row.version, row.next_due) == (9, NEVER)


def test_visits_with_the_same_rules_share_their_terms() -> None:
    story = Story()
    story.take(*(source_of(appointment(name)) for name in ("a", "b")), source_of(appointment("c", rules=ONE_RULE)))

    assert [unpack(packed).terms for packed in story.rows.values()] == [1, 1, 2]
    assert len(story.terms) == 2


@pytest.mark.parametrize("prepare", [False, True])
def test_g4_a_hand_over_always_has_the_same_id(prepare: bool) -> None:
    early, late = Story(), Story()
    for story in (early, late):
        story.take(source_of(appointment()))

    in_time, overdue = early.fire(24, prepare=prepare), late.fire(20, prepare=prepare)

    assert kinds(in_time.messages) == [REMINDER_DUE]
    assert in_time.messages[0][:2] == overdue.messages[0][:2]
    assert ce_id(in_time.messages[0]) == ce_id(overdue.messages[0])
    assert decode(ReminderDue, in_time.messages[0][1]).rule == "24h"
    times = [dict(fired.messages[0][2])["ce_time"] for fired in (in_time, overdue)]
    assert times == [at.isoformat().encode() for at in (DAY_BEFORE, VISIT - timedelta(hours=20))]
    assert early.rows == late.rows
    assert in_time.counts["handed_over"] == 1


def test_what_was_prepared_for_an_older_row_is_not_handed_over() -> None:
    story = Story()
    story.take(source_of(appointment()))
    ready = {KEY: OWNER.prepare(KEY, story.rows[KEY], story.terms)}
    story.take(source_of(appointment(version=2, rules=(rule("24h", hours=24),))))

    fired = OWNER.fire([(KEY, story.rows[KEY])], ready, story.terms, DAY_BEFORE)

    assert decode(ReminderDue, fired.messages[0][1]).version == 2


def test_what_was_prepared_is_void_when_its_time_is_over() -> None:
    story = Story()
    story.take(source_of(appointment(rules=ONE_RULE)))

    assert kinds(story.fire(1, prepare=True).messages) == [REMINDERS_CANCELLED]


def prepared(seconds: dict[str, float], late_s: float) -> Fired:
    """Prepare the first of timers so many seconds before a visit, and fire what is due so long after its instant."""
    rules = [{"slug": slug, "us": round(lead * 1_000_000)} for slug, lead in seconds.items()]
    terms = TermsTable()
    number = terms.number(json.dumps({"zone": "UTC", "rules": rules}).encode())
    due = micros(VISIT) - round(max(seconds.values()) * 1_000_000)
    packed = pack(Row(1, 1, due, micros(VISIT), number, bytes(1)))
    ready = {KEY: OWNER.prepare(KEY, packed, terms)}
    assert ready[KEY] is not None
    return OWNER.fire([(KEY, packed)], ready, terms, instant(due) + timedelta(seconds=late_s))


@pytest.mark.parametrize(("late_s", "kind"), [(0.75, REMINDER_DUE), (0.76, REMINDERS_CANCELLED)])
def test_d15_what_was_prepared_is_void_after_its_deadline(late_s: float, kind: str) -> None:
    """A second before the visit: a quarter of it is left for a quarter of a second."""
    assert kinds(prepared({"1s": 1}, late_s).messages) == [kind]


def test_d15_what_was_prepared_is_void_when_the_next_timer_is_due_too() -> None:
    both = {"60s": 60, "59.5s": 59.5}

    assert kinds(prepared(both, 0.4).messages) == [REMINDER_DUE]
    assert kinds(prepared(both, 0.5).messages) == [REMINDERS_CANCELLED, REMINDER_DUE]


def test_d15_what_was_prepared_is_said_at_its_instant_and_a_second_later_at_the_time_of_then() -> None:
    at = [dict(prepared({"1h": 3600}, late_s).messages[0][2])["ce_time"].decode() for late_s in (0.0, 1.0, 1.001)]

    assert [datetime.fromisoformat(time) - (VISIT - timedelta(hours=1)) for time in at] == [
        timedelta(0),
        timedelta(0),
        timedelta(seconds=1.001),
    ]


def test_d15_what_is_too_late_is_announced_as_cancelled_and_not_handed_over() -> None:
    story = Story()
    story.take(source_of(appointment(rules=ONE_RULE)))
    due = [(KEY, story.rows[KEY])]
    expected = OWNER.expect(due, story.terms, VISIT - timedelta(hours=1))

    fired = story.fire(1)

    assert kinds(fired.messages) == [REMINDERS_CANCELLED]
    correction = decode(RemindersCancelled, fired.messages[0][1])
    assert [(r.rule, r.status, r.reason) for r in correction.reminders] == [("24h", "CANCELLED", "TOO_LATE")]
    assert (correction.appointment_id, correction.version) == (id_of("visit"), 1)
    assert +fired.counts == +expected == {"too_late": 1}


def test_d15_of_two_overdue_the_later_leaves_and_the_other_is_announced_as_superseded() -> None:
    story = Story()
    story.take(source_of(appointment(rules=(rule("24h", hours=24), rule("20h", hours=20)))))

    fired = story.fire(19)

    assert kinds(fired.messages) == [REMINDERS_CANCELLED, REMINDER_DUE]
    assert +fired.counts == {"handed_over": 1, "superseded": 1}


def _bad(**changes: object) -> Source:
    return replace(source_of(appointment(), offset=7), **changes)  # type: ignore[type-var]  # a dataclass it is


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (_bad(value=None), "NO_VALUE"),
        (_bad(value=b"\xff\xfe not json"), "INVALID"),
        (_bad(value=b"{}"), "INVALID"),
        (_bad(headers=(("ce_type", b"appointment.changed.v2"),)), "UNKNOWN_VERSION"),
        (_bad(headers=(("ce_type", b"weather.changed.v1"),)), "UNKNOWN_TYPE"),
        (_bad(headers=()), "UNKNOWN_TYPE"),
        (_bad(key=None), "KEY_MISMATCH"),
        (_bad(key=b"another"), "KEY_MISMATCH"),
        (source_of(appointment(version=2**40), offset=7), "UNPLANNABLE"),
        (source_of(appointment(zone="Nowhere", rules=(rule("1d", days=1),)), offset=7), "UNPLANNABLE"),
    ],
)
def test_g8_what_cannot_be_taken_is_published_whole_with_its_position(source: Source, code: str) -> None:
    taken = Story().take(source)

    assert (taken.outcomes, taken.rows, kinds(taken.messages)) == ({Outcome.DEAD: 1}, {}, [REMINDER_DEAD_LETTER])
    letter = decode(ReminderDeadLetter, taken.messages[0][1])
    assert (letter.topic, letter.partition, letter.offset, letter.code) == ("appointments", 0, 7, code)
    assert (None if letter.value is None else b64decode(letter.value)) == source.value
    assert (None if letter.key is None else b64decode(letter.key)) == source.key


def test_g8_a_dead_record_does_not_hold_up_the_others_of_its_batch() -> None:
    taken = Story().take(_bad(value=b"{}"), source_of(appointment()))

    assert taken.outcomes == {Outcome.DEAD: 1, Outcome.APPLIED: 1}


def test_g8_a_record_too_large_to_be_carried_is_left_at_its_position() -> None:
    taken = Story().take(_bad(value=b"x" * (LARGEST_CARRIED + 1)))

    letter = decode(ReminderDeadLetter, taken.messages[0][1])
    assert letter.value is None
    assert "read them at this position" in letter.message


def test_g9_the_reason_of_a_dead_letter_holds_nothing_of_the_record() -> None:
    taken = Story().take(_bad(value=b'{"appointment_id": "Jane Canary"}'))

    assert "Canary" not in decode(ReminderDeadLetter, taken.messages[0][1]).message
