"""Each value of a message can be asked where it came from, in every format; nothing is kept of it unasked (0063)."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from booking.appointments.domain.command import BookAppointment
from booking.formats.calendars.format import ICalendar
from booking.formats.fhir_r4.format import FhirR4
from booking.formats.hl7v2.format import Hl7V2
from booking.formats.lines.format import LinesOfJson
from booking.formats.maps.fields import Said, Shown, said_by, shown
from booking.formats.plain.format import PlainJson
from booking.formats.port import Format, Hints
from booking.formats.separated.format import SeparatedValues
from booking.profiles.current import Profiles
from booking.profiles.domain import Profile
from booking.values.refusals import Refused
from booking.values.trail import Trail
from booking.values.warned import Details
from tests.support.booking.builders import LOCAL, NOW
from tests.support.booking.hl7 import siu

LONDON: dict[str, Any] = {"zone": "Europe/London", "country": "GB"}
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "identifier": [{"value": "77"}],
    "name": [{"family": "Meier", "given": ["Anna"]}],
    "telecom": [{"system": "phone", "value": "07700 900123"}],
    "communication": [{"language": {"coding": [{"code": "en"}]}}],
    "contact": [{"relationship": [{"text": "guardian"}], "telecom": [{"system": "email", "value": "m@example.com"}]}],
}
FHIR: dict[str, Any] = {
    "resourceType": "Appointment",
    "id": "v1",
    "meta": {"lastUpdated": "2027-03-01T09:00:00Z"},
    "status": "booked",
    "start": "2027-07-27T15:30:00Z",
    "end": "2027-07-27T16:00:00Z",
    "appointmentType": {"text": "Check-up"},
    "contained": [PATIENT],
    "participant": [
        {"actor": {"reference": "#p"}, "status": "accepted"},
        {"actor": {"reference": "Location/EYE"}, "status": "accepted"},
        {"actor": {"reference": "Practitioner/204", "display": "Dr Who"}, "status": "accepted"},
    ],
}
PLAIN: dict[str, Any] = {
    "event_id": "e1",
    "sequence": 1,
    "occurred_at": "2027-03-01T09:00:00Z",
    "reason": "asked for",
    "appointment": {
        "id": "v1",
        "status": "booked",
        "confirmed": True,
        "patient": {"id": "77"},
        "clinic": "EYE",
        "provider": {"id": "204"},
        "service_type": "Check-up",
        "start": "2027-03-12T10:00",
        "end": "2027-03-12T10:30Z",
    },
}
HL7, FHIR_R4, JSON, CSV, CALENDAR = Hl7V2(), FhirR4(), PlainJson(), SeparatedValues(), ICalendar()
LINES = LinesOfJson(JSON, FHIR_R4)
TABLE = (
    b"appointment_id,patient_id,start,duration,status,clinic,provider_id,provider_name,service_type,changed_at,"
    b"given_name,family_name,mobile,email,language,confirmed\n"
    b"v1,p1,2027-03-12T10:00,30,booked,EYE,204,Dr Who,Check-up,2027-03-01T09:00,"
    b"Anna,Meier,07700 900123,anna@example.com,en,yes\n"
)
BARE = b"start,mobile\n2027-03-12T10:00,07700 900123\n"
EVENT = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:v1\r\nSEQUENCE:1\r\nDTSTAMP:20270301T090000Z\r\n"
    b"DTSTART:20270312T100000Z\r\nDURATION:PT30M\r\nLOCATION:EYE\r\nCATEGORIES:Check-up\r\n"
    b"ATTENDEE;CN=Anna Meier:mailto:anna@example.com\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def asked(format_: Format, body: bytes, **profile: Any) -> tuple[Any, Trail]:
    """Return what a format makes of one message, and where its values came from."""
    profiles = Profiles.fixed({"local": Profile.model_validate({**LONDON, **profile})})
    hints = Hints(LOCAL, NOW, profiles=profiles, trails=[])
    (found,) = format_.parse(body, hints).commands
    assert hints.trails is not None
    (trail,) = hints.trails
    return found, trail


def fields(format_: Format, body: bytes, **profile: Any) -> Mapping[str, Shown]:
    found, trail = asked(format_, body, **profile)
    assert isinstance(found, BookAppointment)
    return {one.field: one for one in shown(said_by(found), trail)}


WHOLE: dict[str, tuple[Format, bytes]] = {
    "HL7 v2": (HL7, siu(word="Confirmed", TQ1="TQ1|||||||202703121000")),
    "FHIR R4": (FHIR_R4, orjson.dumps(FHIR)),
    "our own": (JSON, orjson.dumps(PLAIN)),
    "a row": (CSV, TABLE),
    "a row that says little": (CSV, BARE),
    "an event of a calendar": (CALENDAR, EVENT),
    "an event that is cancelled": (CALENDAR, EVENT.replace(b"REQUEST", b"CANCEL").replace(b"DURATION:PT30M\r\n", b"")),
    "a line": (LINES, orjson.dumps(PLAIN)),
    "a line of FHIR": (LINES, orjson.dumps(FHIR)),
}


@pytest.mark.parametrize("name", WHOLE)
def test_every_value_of_a_command_says_where_it_came_from(name: str) -> None:
    format_, body = WHOLE[name]
    without = [one for one, found in fields(format_, body).items() if not found.origins and one != "source"]
    assert without == []


@pytest.mark.parametrize("name", WHOLE)
def test_whoever_asks_nothing_gets_the_same_command(name: str) -> None:
    format_, body = WHOLE[name]
    profiles = Profiles.fixed({"local": Profile.model_validate(LONDON)})
    (unasked,) = format_.parse(body, Hints(LOCAL, NOW, profiles=profiles)).commands
    assert unasked == asked(format_, body)[0]


def test_nothing_is_kept_unasked() -> None:
    details = Details()
    details.took("status", "MSH-9.2")
    assert details.trail is None


CASES: dict[str, tuple[Format, bytes, dict[str, Any], str, list[tuple[str, str, str]]]] = {
    "the time that is trusted most": (
        HL7, siu(TQ1="TQ1|||||||202703121000"), {}, "starts_at",
        [("TQ1-7", "hl7v2.times.start", "without offset: read in Europe/London")],
    ),
    "an end that is told": (HL7, siu(), {}, "ends_at", [("SCH-11.5", "hl7v2.times.end", "")]),
    "a length": (
        HL7, siu(SCH="SCH|P1|F1|||||X||45|min|^^^20270312100000+0000"), {}, "ends_at",
        [("SCH-9", "hl7v2.times.duration", "the start and this length")],
    ),
    "no length": (
        HL7, siu(SCH="SCH|P1|F1|||||X||||^^^20270312100000+0000"), {}, "ends_at",
        [("", "hl7v2.times.default_minutes", "nobody says how long it is")],
    ),
    "a start that is taken away": (
        HL7, siu("S15", SCH='SCH|P1|F1|||||X||||^^^""'), {}, "starts_at",
        [("SCH-11.4", "hl7v2.times.start", '`""` takes it away')],
    ),
    "trigger and word": (
        HL7, siu("S14", word="Confirmed"), {}, "status",
        [("MSH-9.2", "", "S14 means changed"), ("SCH-25.1", "hl7v2.status", "the word is of class confirmed")],
    ),
    "trigger and word of its profile": (
        HL7, siu("S13", word="NOGO"), {"hl7v2": {"events": {"S13": "cancelled"}, "words": {"nogo": "cancelled"}}},
        "status",
        [
            ("MSH-9.2", "hl7v2.events", "S13 means cancelled"),
            ("SCH-25.1", "hl7v2.words", "the word is of class cancelled"),
        ],
    ),
    "a word of no class": (
        HL7, siu(word="Qux"), {}, "status",
        [
            ("MSH-9.2", "", "S12 means booked"),
            ("SCH-25.1", "hl7v2.status", "the word is of no class, and says nothing"),
        ],
    ),
    "the second identifier": (
        HL7, siu(PID="PID|1||1^^^A^MR~2^^^B^MR"), {"hl7v2": {"patient": {"authorities": ["B"]}}}, "patient",
        [("PID-3[2]", "hl7v2.patient", "")],
    ),
    "both numbers of a visit": (
        HL7, siu(), {}, "appointment", [("SCH-2", "hl7v2.appointment", ""), ("SCH-1", "hl7v2.appointment", "")],
    ),
    "a clinic of the profile": (
        HL7, siu(PV1="PV1|1|O|^^^BARTS"), {"hl7v2": {"clinics": {"BARTS": "EYE"}}}, "clinic",
        [("PV1-3.4", "hl7v2.clinics", "")],
    ),
    "a clinic where none is known": (HL7, siu(), {"clinic": "EYE"}, "clinic", [("", "clinic", "where none is known")]),
    "a segment of its own": (
        HL7, siu(after=["ZPD|07700 900999"]), {"hl7v2": {"extra": {"mobile": "ZPD-1"}}}, "person.mobile",
        [("ZPD-1", "hl7v2.extra.mobile", ""), ("PID-13", "", "read as mobile")],
    ),
    "a no-show by a clock": (
        HL7, siu("S26", word=""), {}, "mode",
        [("", "hl7v2.no_show_by_clock", "a no-show may be a clock's: nothing is sent")],
    ),
    "a mode of the profile": (HL7, siu(), {"mode": "backfill"}, "mode", [("", "mode", "")]),
    "a service that is a type": (
        FHIR_R4, orjson.dumps(FHIR), {}, "service_type", [("Appointment.appointmentType", "", "")]
    ),
    "whoever answers for a patient": (
        FHIR_R4, orjson.dumps(FHIR), {}, "person.email",
        [("Patient.contact.telecom", "", "where he has none of his own")],
    ),
    "a time without offset": (
        JSON, orjson.dumps(PLAIN), {}, "starts_at",
        [("appointment.start", "zone", "without offset: read in Europe/London")],
    ),
    "a time with one": (JSON, orjson.dumps(PLAIN), {}, "ends_at", [("appointment.end", "", "")]),
    "a column of the profile": (
        CSV, TABLE.replace(b",start,", b",Wann,"),
        {"csv": {"columns": {"start": "Wann", "patient_id": 2}}}, "starts_at",
        [("start", "csv.columns.start", "its column Wann; read in Europe/London if it has no offset")],
    ),
    "a visit without an id": (
        CSV, BARE, {}, "appointment", [("", "csv.id", "no id is said: a hash of what names the visit")],
    ),
    "a calendar that cancels": (
        CALENDAR, EVENT.replace(b"REQUEST", b"CANCEL"), {}, "status",
        [("VCALENDAR.METHOD", "", "the calendar cancels what it holds")],
    ),
    "a mode that nobody says": (
        JSON, orjson.dumps(PLAIN), {"mode": "backfill"}, "mode", [("", "mode", "the event says none")]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_where_it_came_from(name: str) -> None:
    format_, body, profile, field, origins = CASES[name]
    assert [(one.place, one.knob, one.rule) for one in fields(format_, body, **profile)[field].origins] == origins


def test_of_a_refused_message_it_is_said_what_was_found_before() -> None:
    trails: list[Trail] = []
    with pytest.raises(Refused):
        HL7.parse(siu(SCH="SCH|P1|F1|||||X||||^^^yesterday"), Hints(LOCAL, NOW, trails=trails))
    told = {one.field: one.said for one in shown({}, trails[0])}
    assert told == {"key": Said.NOT_KEPT, "appointment": Said.NOT_KEPT, "status": Said.NOT_KEPT}


def test_of_lines_each_has_its_own_also_after_one_that_is_no_json() -> None:
    hints = Hints(LOCAL, NOW, trails=[])
    places = ("event_id", "", "Appointment.status")
    LINES.parse(b"\n".join([orjson.dumps(PLAIN), b"{", orjson.dumps(FHIR)]), hints)
    assert hints.trails is not None
    assert [{two.place for two in one} >= {place} for one, place in zip(hints.trails, places, strict=True)] == [
        True,
        False,
        True,
    ]
    assert hints.trails[1] == []


def test_of_a_batch_each_message_has_its_own() -> None:
    hints = Hints(LOCAL, NOW, trails=[])
    JSON.parse(orjson.dumps([PLAIN, {"event_id": "e2"}, PLAIN]), hints)
    assert hints.trails is not None
    assert [bool(one) for one in hints.trails] == [True, False, True]
