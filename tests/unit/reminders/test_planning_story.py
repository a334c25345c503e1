"""The worker's story, record by record, with fakes for nothing: it is pure."""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from reminders.adapters.records import RecordWording, read_appointment
from reminders.domain.bodies import LARGEST_CARRIED
from reminders.handle.planning import RemindersOwner
from reminders.timers.ports import Change, Message, Outcome, Source
from schemas.appointments import Status
from schemas.envelope import event_type
from schemas.reminders import (
    REMINDER_DEAD_LETTER,
    REMINDER_DUE,
    REMINDERS_PLANNED,
    ReminderDeadLetter,
    ReminderDue,
    RemindersPlanned,
)
from schemas.wire import decode, event_id
from tests.unit.reminders.builders import NOW, VISIT, appointment, id_of, rule, source_of

OWNER = RemindersOwner(read_appointment, RecordWording(lambda: NOW))
KEY = str(id_of("visit")).encode()


def kinds(messages: Sequence[Message]) -> list[str | None]:
    return [event_type(message.headers) for message in messages]


def test_b1_a_plan_says_what_caused_it() -> None:
    change = OWNER.on_record(source_of(appointment()), None)

    assert kinds(change.messages) == [REMINDERS_PLANNED]
    plan = decode(RemindersPlanned, change.messages[0].value)
    assert plan.caused_by == str(event_id(id_of("visit"), 1))
    assert change.messages[0].key == KEY


def test_g4_a_repeat_after_a_crash_is_an_identical_copy() -> None:
    first, again = (OWNER.on_record(source_of(appointment()), None) for _ in range(2))

    assert first == again


def test_an_event_already_held_changes_nothing() -> None:
    held = OWNER.on_record(source_of(appointment(version=2)), None).row

    assert OWNER.on_record(source_of(appointment(version=2)), held) == Change(outcome=Outcome.REPEAT)
    assert OWNER.on_record(source_of(appointment(version=1)), held) == Change(outcome=Outcome.STALE)


def test_versions_that_were_skipped_are_no_obstacle() -> None:
    held = OWNER.on_record(source_of(appointment(version=2)), None).row
    change = OWNER.on_record(source_of(appointment(version=9, status=Status.CANCELLED)), held)

    assert change.row is not None
    assert (change.outcome, change.row.version, change.row.next_due) == (Outcome.APPLIED, 9, None)


def test_g4_a_hand_over_always_has_the_same_id() -> None:
    row = OWNER.on_record(source_of(appointment()), None).row
    assert row is not None

    early, late = (OWNER.on_due(KEY, row, VISIT - timedelta(hours=hours)) for hours in (24, 20))

    assert kinds(early.messages) == [REMINDER_DUE]
    ids = [decode(ReminderDue, change.messages[0].value).reminder_id for change in (early, late)]
    assert ids[0] == ids[1]
    assert dict(early.messages[0].headers)["ce_id"] == dict(late.messages[0].headers)["ce_id"]


def test_d15_what_is_too_late_is_announced_as_cancelled_and_not_handed_over() -> None:
    row = OWNER.on_record(source_of(appointment(rules=(rule("24h", hours=24),))), None).row
    assert row is not None

    change = OWNER.on_due(KEY, row, VISIT - timedelta(hours=1))

    assert kinds(change.messages) == [REMINDERS_PLANNED]
    correction = decode(RemindersPlanned, change.messages[0].value)
    assert [(r.rule, r.status, r.reason) for r in correction.reminders] == [("24h", "CANCELLED", "TOO_LATE")]
    assert (correction.patient_id, correction.clinic_id, correction.version) == (id_of("patient"), "EYE", 1)
    assert change.counts == {"handed_over": 0, "too_late": 1, "superseded": 0}


def test_a_correction_is_another_event_than_the_plan_it_corrects() -> None:
    planned = OWNER.on_record(source_of(appointment(rules=(rule("24h", hours=24),))), None)
    assert planned.row is not None
    corrected = OWNER.on_due(KEY, planned.row, VISIT - timedelta(hours=1))

    ids = [dict(change.messages[0].headers)["ce_id"] for change in (planned, corrected)]
    assert ids[0] != ids[1]


def _bad(**changes: object) -> Source:
    return replace(source_of(appointment(), offset=7), **changes)  # type: ignore[arg-type]  # names are checked by replace


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
    change = OWNER.on_record(source, None)

    assert (change.outcome, change.row, kinds(change.messages)) == (Outcome.DEAD, None, [REMINDER_DEAD_LETTER])
    letter = decode(ReminderDeadLetter, change.messages[0].value)
    assert (letter.topic, letter.partition, letter.offset, letter.code) == ("appointments", 0, 7, code)
    assert (None if letter.value is None else b64decode(letter.value)) == source.value
    assert (None if letter.key is None else b64decode(letter.key)) == source.key


def test_g8_a_record_too_large_to_be_carried_is_left_at_its_position() -> None:
    change = OWNER.on_record(_bad(value=b"x" * (LARGEST_CARRIED + 1)), None)

    letter = decode(ReminderDeadLetter, change.messages[0].value)
    assert letter.value is None
    assert "read them at this position" in letter.message


def test_g9_the_reason_of_a_dead_letter_holds_nothing_of_the_record() -> None:
    change = OWNER.on_record(_bad(value=b'{"appointment_id": "Jane Canary"}'), None)

    assert "Canary" not in decode(ReminderDeadLetter, change.messages[0].value).message
