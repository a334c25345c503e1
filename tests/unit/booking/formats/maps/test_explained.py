"""What is shown of a message: by its shape unless values are asked, by whose knob, and what becomes of reminders."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from booking.appointments.domain.batch import EventAnswer
from booking.formats.hl7v2.format import Hl7V2
from booking.formats.maps.bodies import Outcome, SetBy, field_views
from booking.formats.maps.dry_run import Becomes, Follows, reminders
from booking.formats.maps.explain import Read, view_of, with_trails
from booking.formats.maps.fields import Kind, Said, hidden, said_by, said_of, shape, shown
from booking.formats.maps.knobs import is_said
from booking.formats.port import Hints, Parsed
from booking.patients.domain.registrations import Registration
from booking.profiles.current import Profiles
from booking.profiles.domain import Profile
from booking.values.refusals import Refused
from booking.values.trail import Took, Trail
from schemas.reminders import PlannedReminder, Reason, ReminderStatus
from tests.support.booking.builders import HOUR, LOCAL, NOW, change, command
from tests.support.booking.hl7 import header, siu

PROFILE = Profile.model_validate(
    {"zone": "Europe/London", "hl7v2": {"times": {"gap": "refuse"}, "words": {"Sch": "booked"}}}
)


@pytest.mark.parametrize(
    ("knob", "said"),
    [
        ("zone", True),
        ("country", False),
        ("hl7v2.times", True),
        ("hl7v2.times.gap", True),
        ("hl7v2.times.start", False),
        ("hl7v2.words", True),
        ("hl7v2.words.Sch", True),
        ("hl7v2.words.Qux", False),
        ("csv.columns", False),
    ],
)
def test_whether_a_profile_gives_a_knob(knob: str, said: bool) -> None:
    assert is_said(PROFILE, knob) is said


@pytest.mark.parametrize(
    ("kind", "text", "written"),
    [
        (
            Kind.IDENTIFIER,
            "https://fhir.nhs.uk/Id/nhs-number|9476719931",
            "https://fhir.nhs.uk/Id/nhs-number|9999999999",
        ),
        (Kind.IDENTIFIER, "filler|EPIC|Q7", "filler|EPIC|X9"),
        (Kind.IDENTIFIER, "RNJ77", "XXX99"),
        (Kind.TEXT, "asked|for", "xxxxx|xxx"),
        (Kind.CLINIC, "EYE", "EYE"),
        (Kind.CLINIC, "PV1-3.4|Ward 7", "PV1-3.4|Xxxx 9"),
    ],
)
def test_of_an_identifier_it_is_shown_whose_it_is(kind: Kind, text: str, written: str) -> None:
    assert hidden(kind, text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Anna Meier", "Xxxx Xxxxx"),
        ("+44 7700 900123", "+99 9999 999999"),
        ("anna@example.com", "xxxx@xxxxxxx.xxx"),
        ("EYE|77", "XXX|99"),
        ("Zoë", "Xxx"),
        ("山田", "xx"),
        ("", ""),
    ],
)
def test_a_text_is_shown_by_its_shape(text: str, written: str) -> None:
    assert shape(text) == written


def test_values_are_shown_by_their_shape_unless_they_are_asked_for() -> None:
    fields = shown(said_by(command(patient="Ann-77", reason="is ill")), [])
    hidden = {one.field: one.values for one in field_views(fields, PROFILE, values=False)}
    open_ = {one.field: one.values for one in field_views(fields, PROFILE, values=True)}
    assert (hidden["patient"], open_["patient"]) == (["Xxx-99"], ["Ann-77"])
    assert (hidden["reason"], open_["reason"]) == (["xx xxx"], ["is ill"])
    assert hidden["starts_at"] == open_["starts_at"] == ["2027-03-12T10:00:00Z"]
    assert hidden["status"] == ["booked"]


def test_what_is_taken_away_is_told_from_what_is_dropped() -> None:
    found = {one.field: one.said for one in shown(said_by(change("e1", provider=None)), [Took("ends_at", "SCH-11.5")])}
    assert (found["provider"], found["ends_at"], "service_type" in found) == (Said.TAKEN_AWAY, Said.NOT_KEPT, False)


def test_each_origin_says_whose_word_the_knob_is() -> None:
    trail = [Took("starts_at", "SCH-11.4", "hl7v2.times.start"), Took("starts_at", "", "zone"), Took("status", "X")]
    views = {one.field: one.origins for one in field_views(shown({}, trail), PROFILE, values=False)}
    assert [one.set_by for one in views["starts_at"]] == [SetBy.DEFAULT, SetBy.PROFILE]
    assert [one.set_by for one in views["status"]] == [None]


def planned(number: int, in_hours: int, reason: Reason | None = None) -> PlannedReminder:
    status = ReminderStatus.CANCELLED if reason else ReminderStatus.SCHEDULED
    due = NOW + in_hours * HOUR
    given: dict[str, Any] = {"not_after": due + HOUR, "status": status, "reason": reason}
    return PlannedReminder(reminder_id=UUID(int=number), rule=f"r{number}", due=due, **given)


LATE = Reason.DUE_IN_PAST
CASES: dict[str, tuple[list[PlannedReminder], list[PlannedReminder], list[tuple[str, Becomes, Reason | None]]]] = {
    "of a new visit": ([], [planned(1, 5)], [("r1", Becomes.PLANNED, None)]),
    "that would be late": ([], [planned(1, -5, LATE)], [("r1", Becomes.NEVER, LATE)]),
    "that nothing changes": ([planned(1, 5)], [planned(1, 5)], [("r1", Becomes.KEPT, None)]),
    "of a visit that is cancelled": (
        [planned(1, 5), planned(2, -5)],
        [planned(1, 5, Reason.APPOINTMENT_CANCELLED), planned(2, -5, Reason.APPOINTMENT_CANCELLED)],
        [
            ("r2", Becomes.NEVER, Reason.APPOINTMENT_CANCELLED),
            ("r1", Becomes.CANCELLED, Reason.APPOINTMENT_CANCELLED),
        ],
    ),
    "of a visit that is moved": (
        [planned(1, 5), planned(2, -5)],
        [planned(3, 9)],
        [("r1", Becomes.CANCELLED, Reason.RESCHEDULED), ("r3", Becomes.PLANNED, None)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_becomes_of_reminders(name: str) -> None:
    was, becomes, expected = CASES[name]
    assert [(one.rule, one.becomes, one.reason) for one in reminders(was, becomes, NOW)] == expected


def test_a_reminder_that_was_handed_over_is_cancelled_no_more() -> None:
    assert reminders([planned(1, 5)], [], NOW + timedelta(hours=6)) == []


PID = "PID|1||77^^^EYE^MR||Meier^Anna||19800101|F|||||07700 900123^PRS^CP"


def adt(trigger: str, *after: str) -> bytes:
    return "\r".join([header(trigger, kind="ADT"), f"EVN|{trigger}", PID, *after, ""]).encode()


def explained(body: bytes) -> Any:
    """Return what is shown of a body's one message of which nothing is decided."""
    hints = Hints(LOCAL, NOW, profiles=Profiles.fixed({"local": PROFILE}), country="GB", trails=[])
    try:
        parsed = Hl7V2().parse(body, hints)
    except Refused as refusal:
        parsed = Parsed([refusal])
    (found,) = with_trails(parsed, hints)
    return view_of(1, found, None, None, PROFILE, values=False)


def test_a_message_of_a_patient_alone_is_explained_too() -> None:
    found = explained(adt("A31"))
    assert found.outcome is Outcome.TOLD
    told = {one.field: (one.values, [origin.place for origin in one.origins]) for one in found.fields}
    assert told["patient"] == (["EYE|99"], ["PID-3"])
    assert told["person.mobile"] == (["+999999999999"], ["PID-13"])
    assert told["person.family_name"] == (["Xxxxx"], ["PID-5"])


def test_records_that_would_be_one_are_told_apart() -> None:
    found = explained(adt("A40", "MRG|88^^^EYE^MR"))
    told = {one.field: (one.values, [origin.place for origin in one.origins]) for one in found.fields}
    assert found.outcome is Outcome.TOLD
    assert (told["patient"], told["merged_away"]) == ((["EYE|99"], ["PID-3"]), (["EYE|99"], ["MRG-1"]))


def test_a_record_that_is_deleted_says_so() -> None:
    told = {one.field: one.values for one in explained(adt("A29")).fields}
    assert told["person.do_not_contact"] == ["true"]


def test_a_message_of_no_visit_is_ignored_and_one_that_is_none_is_refused() -> None:
    ignored, refused = explained(siu("S23")), explained(siu("S12", SCH=""))
    assert (ignored.outcome, ignored.refusal) == (Outcome.IGNORED, None)
    assert (refused.outcome, refused.refusal.code, refused.refusal.place) == (Outcome.REFUSED, "NO_SCH", "SCH")
    assert [one.field for one in refused.fields] == ["key", "status"]


def test_what_is_refused_when_it_is_decided_shows_its_command() -> None:
    trail: Trail = []
    answer = EventAnswer("e1", refusal=Refused("UNKNOWN_CLINIC", "no clinic has this code", "appointment.clinic"))
    found = view_of(1, Read(command(), trail), Follows(answer), None, PROFILE, values=False)
    assert (found.outcome, found.event_id) == (Outcome.REFUSED, "e1")
    assert {one.field for one in found.fields} >= {"status", "patient", "starts_at"}


def test_said_of_a_patient_alone_is_what_is_told() -> None:
    hints = Hints(LOCAL, NOW, profiles=Profiles.fixed({"local": PROFILE}), country="GB", trails=[])
    parsed = Hl7V2().parse(siu() + adt("A31"), hints)
    found = with_trails(parsed, hints)
    assert isinstance(found[1].asks, Registration)
    assert said_of(found[1].asks)["person.given_name"] == ("Anna",)
    assert Kind.NAME in {one.kind for one in shown(said_of(found[1].asks), found[1].trail)}
