"""`attend map`: of which format a file is, and what is printed of it."""

from pathlib import Path
from typing import Any

import pytest

from stack.commands.mapping_view import lines
from stack.commands.media_types import CALENDAR, FHIR, HL7, LINES, PLAIN, SEPARATED, media_type_of

FILES: dict[str, tuple[str, bytes, str | None]] = {
    "a message": ("x.txt", b"MSH|^~\\&|A", HL7),
    "a message in its frame": ("x", b"\x0bMSH|^~\\&|A\r\x1c\r", HL7),
    "a batch": ("x.dat", b"\xef\xbb\xbfFHS|^~\\&\rBHS|", HL7),
    "an event": ("x", b' {"appointment": {}}', PLAIN),
    "several events": ("x", b'[{"event_id": "e1"}]', PLAIN),
    "a resource": ("x.json", b'{"resourceType": "Appointment"}', FHIR),
    "lines": ("x.json", b'{"event_id": "e1"}\n{"event_id": "e2"}\n', LINES),
    "a calendar": ("x", b"BEGIN:VCALENDAR\r\n", CALENDAR),
    "separated values": ("x.csv", b"id;start\n", SEPARATED),
    "JSON that is cut off": ("x.json", b'{"event_id": "e1"', PLAIN),
    "one line that is cut off": ("x.ndjson", b'{"event_id": "e1"', LINES),
    "nothing": ("x.hl7", b"", HL7),
    "anything else": ("x.doc", b"Dear Sirs", None),
}


@pytest.mark.parametrize("name", FILES)
def test_of_which_format_a_file_is(name: str) -> None:
    file, content, expected = FILES[name]
    assert media_type_of(Path(file), content) == expected


VISIT: dict[str, Any] = {"version": 2, "status": "booked", "starts_at": "2027-03-12T10:00:00Z", "clinic": "EYE"}
NOTHING: dict[str, Any] = {"event_id": None, "refusal": None, "before": None, "after": None, "flags": []}
ORIGIN = {
    "place": "SCH-11.4",
    "knob": "hl7v2.times.start",
    "set_by": "default",
    "rule": "without offset: read in Europe/London",
}


def told(*messages: dict[str, Any], **given: Any) -> dict[str, Any]:
    """Return an answer in which each message says only what is given."""
    whole = [
        {"number": number, "fields": [], "warnings": [], "reminders": [], **NOTHING, **one}
        for number, one in enumerate(messages, 1)
    ]
    around = {"source": "bay", "format": HL7, "profile_version": 0, "refused": 0, "warnings": [], **given}
    return {**around, "messages": whole}


def test_a_visit_that_would_change_is_told_with_all_that_follows() -> None:
    reminder = {"rule": "1d", "due": "2027-03-11T10:00:00Z"}
    found = told(
        {
            "event_id": "m1",
            "outcome": "applied",
            "before": {**VISIT, "version": 1, "starts_at": None, "status": "pending"},
            "after": VISIT,
            "fields": [
                {"field": "starts_at", "values": ["2027-03-12T10:00:00Z"], "said": "value", "origins": [ORIGIN]},
                {"field": "provider", "values": [], "said": "taken away", "origins": []},
            ],
            "warnings": [{"code": "NO_CONTACT", "place": "PID-13", "detail": "nobody is reached"}],
            "reminders": [
                {**reminder, "becomes": "planned", "reason": None},
                {**reminder, "becomes": "never", "reason": "DUE_IN_PAST"},
            ],
            "flags": ["HELD_BACK"],
        },
        profile_version=3,
    )
    assert list(lines("a.hl7", found, explain=True)) == [
        "a.hl7: 1 message of bay as application/hl7-v2 by profile version 3",
        "1. m1 → applied: version 2, booked, 2027-03-12T10:00Z, EYE (was pending, no start, EYE)",
        "  starts_at             2027-03-12T10:00:00Z",
        "                        ← SCH-11.4, without offset: read in Europe/London [hl7v2.times.start: default]",
        "  provider              (taken away)",
        "  ! NO_CONTACT at PID-13: nobody is reached",
        "  reminder 1d at 2027-03-11T10:00Z: planned",
        "  reminder 1d at 2027-03-11T10:00Z: never, DUE_IN_PAST",
        "  on the work list of visits: HELD_BACK",
    ]


def test_without_explain_no_field_is_shown() -> None:
    found = told({"outcome": "repeat", "fields": [{"field": "x"}]}, {"outcome": "applied", "after": VISIT})
    assert list(lines("a.hl7", found, explain=False)) == [
        "a.hl7: 2 messages of bay as application/hl7-v2 by all defaults",
        "1. → repeat: taken before: nothing more would follow",
        "2. → applied: version 2, booked, 2027-03-12T10:00Z, EYE (a new visit)",
    ]


def test_a_refusal_is_told_with_its_place_and_what_else_is_wrong() -> None:
    also = [{"place": "appointment.strat", "code": "UNKNOWN_FIELD", "detail": "did you mean start?"}]
    why = {"code": "START_REQUIRED", "place": "appointment.start", "detail": "say when", "errors": also}
    around = [{"code": "BATCH_COUNT_DIFFERS", "place": "BTS-1", "detail": "was one lost?"}]
    found = told({"outcome": "refused", "refusal": why}, refused=1, warnings=around)
    assert list(lines("a.json", found, explain=True)) == [
        "a.json: 1 message of bay as application/hl7-v2 by all defaults, 1 would be refused",
        "  ! BATCH_COUNT_DIFFERS at BTS-1: was one lost?",
        "1. → refused, START_REQUIRED at appointment.start: say when; "
        "appointment.strat: did you mean start? (UNKNOWN_FIELD)",
    ]
