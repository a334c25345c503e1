"""Events of iCalendar become commands: asked for, changed, taken back, and one of a series by itself."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from booking.appointments.domain.command import BookAppointment
from booking.formats.calendars.format import ICalendar
from booking.formats.port import Hints
from booking.profiles.current import Profiles
from booking.profiles.domain import Profile
from booking.values.refusals import Refused
from schemas.appointments import Status
from tests.support.booking.builders import LOCAL, NOW, of_visits

EVENT = """
UID:v-1
SEQUENCE:0
DTSTAMP:20270301T090000Z
DTSTART;TZID=Europe/London:20270727T153000
DURATION:PT20M
LOCATION:EYE
ORGANIZER:mailto:desk@clinic.example
ATTENDEE;CUTYPE=ROOM:mailto:room@clinic.example
ATTENDEE;CN=Ada Mary Test:MAILTO:Ada@Example.org
CATEGORIES:Check,Other
SUMMARY:Ada Test for a check
"""

HINTS = Hints(LOCAL, NOW)


def read(event: str, method: str = "REQUEST", zone: str | None = None) -> list[BookAppointment | Refused]:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"METHOD:{method}", "BEGIN:VEVENT", *event.strip().splitlines()]
    body = "\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""]).encode()
    profiles = Profiles.fixed({"local": Profile(zone=zone)})
    return of_visits(ICalendar().parse(body, replace(Hints(LOCAL, NOW), profiles=profiles)))


def one(event: str = EVENT, method: str = "REQUEST", zone: str | None = None) -> BookAppointment:
    (found,) = read(event, method, zone)
    assert isinstance(found, BookAppointment), found
    return found


def test_an_event_is_a_visit_and_whoever_is_asked_to_come_its_patient() -> None:
    found = one()

    assert (found.appointment, found.status, found.clinic) == ("v-1", Status.BOOKED, "EYE")
    assert found.starts_at == datetime(2027, 7, 27, 14, 30, tzinfo=UTC)
    assert found.ends_at == datetime(2027, 7, 27, 14, 50, tzinfo=UTC)
    assert found.service_type == "Check"
    assert found.patient is not None
    assert found.patient.startswith("attendee|")
    assert "ada" not in found.patient
    assert found.person is not None
    assert (found.person.given_name, found.person.family_name) == ("Ada Mary", "Test")
    assert found.person.own.emails == ("ada@example.org",)


@pytest.mark.parametrize(
    ("written", "zone", "hour"),
    [
        ("DTSTART:20270727T153000Z", None, 15),
        ("DTSTART;TZID=Romance Standard Time:20270727T153000", None, 13),
        ("DTSTART:20270727T153000", "Europe/London", 14),
        ("DTSTART;TZID=America/New_York:20270727T153000", "Europe/London", 19),
        ("DTSTART;TZID=europe/london:20270727T153000", None, 14),
    ],
)
def test_times_are_of_their_zone_and_floating_ones_of_the_sources(written: str, zone: str | None, hour: int) -> None:
    found = one(EVENT.replace("DTSTART;TZID=Europe/London:20270727T153000", written), zone=zone)

    assert found.starts_at == datetime(2027, 7, 27, hour, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "instant", "warning"),
    [("20270328T013000", (3, 28, 1), "SKIPPED_HOUR"), ("20271031T013000", (10, 31, 0), "DOUBLED_HOUR")],
)
def test_an_hour_that_is_skipped_is_later_and_of_a_doubled_one_the_first_is_meant(
    written: str, instant: tuple[int, int, int], warning: str
) -> None:
    found = one(EVENT.replace("20270727T153000", written))

    assert found.starts_at == datetime(2027, *instant, 30, tzinfo=UTC)
    assert [(one.code, one.place) for one in found.warnings] == [(warning, "VEVENT.DTSTART")]


ZONE = """BEGIN:VTIMEZONE
TZID:Our Zone
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:{0}
TZOFFSETTO:{0}
END:STANDARD
END:VTIMEZONE
"""


def in_our_zone(offset: str | None) -> str:
    event = EVENT.replace("TZID=Europe/London", "TZID=Our Zone").strip()
    zone = "" if offset is None else ZONE.format(offset)
    return f"BEGIN:VCALENDAR\n{zone}BEGIN:VEVENT\n{event}\nEND:VEVENT\nEND:VCALENDAR\n".replace("\n", "\r\n")


def test_a_zone_of_a_calendars_own_name_is_as_it_says_itself_and_not_as_another_did() -> None:
    offsets = ("-0500", "+0200", None, "+0000", None)
    apart = [found for offset in offsets for found in of_visits(ICalendar().parse(in_our_zone(offset).encode(), HINTS))]
    together = of_visits(ICalendar().parse("".join(map(in_our_zone, offsets)).encode(), HINTS))

    for found in (apart, together):
        assert [one.code if isinstance(one, Refused) else one.starts_at for one in found] == [
            datetime(2027, 7, 27, 20, 30, tzinfo=UTC),
            datetime(2027, 7, 27, 13, 30, tzinfo=UTC),
            "UNKNOWN_ZONE",
            datetime(2027, 7, 27, 15, 30, tzinfo=UTC),
            "UNKNOWN_ZONE",
        ]


@pytest.mark.parametrize(
    ("attendee", "name", "addresses"),
    [
        ('ATTENDEE;CN="Test, Ada Mary":mailto:ada@example.org', ("Ada Mary", "Test"), ((), ("ada@example.org",))),
        ("ATTENDEE;CN=Ada Test;EMAIL=ada@example.org:urn:uuid:7", ("Ada", "Test"), ((), ("ada@example.org",))),
        ("ATTENDEE;CN=Ada Test:tel:+16175550101", ("Ada", "Test"), (("+16175550101",), ())),
        ("ATTENDEE;CN=Ada Test:ada@example.org", ("Ada", "Test"), ((), ("ada@example.org",))),
        ("ATTENDEE;CN=ada@example.org:MAILTO:ada@example.org", (None, None), ((), ("ada@example.org",))),
        ("ATTENDEE;CN=Ada Test:invalid:nomail", None, None),
        ("ATTENDEE;CN=Ada Test;ROLE=CHAIR:mailto:ada@example.org", None, None),
        ("ATTENDEE;CN=Desk:mailto:desk@clinic.example", None, None),
    ],
)
def test_whoever_is_asked_to_come_is_called_and_reached_as_it_says(attendee: str, name: Any, addresses: Any) -> None:
    found = one(EVENT.replace("ATTENDEE;CN=Ada Mary Test:MAILTO:Ada@Example.org", attendee))

    person = found.person
    assert (found.patient is None) == (person is None) == (name is None)
    assert person is None or (person.given_name, person.family_name) == name
    assert person is None or (person.own.mobiles, person.own.emails) == addresses


@pytest.mark.parametrize(
    ("method", "said", "status"),
    [
        ("CANCEL", "", Status.CANCELLED),
        ("REQUEST", "STATUS:CANCELLED", Status.CANCELLED),
        ("PUBLISH", "STATUS:TENTATIVE", Status.PENDING),
        ("PUBLISH", "STATUS:confirmed", Status.BOOKED),
        ("CANCEL", "STATUS:CONFIRMED", Status.CANCELLED),
    ],
)
def test_what_becomes_of_it_is_said_by_method_and_status(method: str, said: str, status: Status) -> None:
    assert one(f"{EVENT}{said}", method).status is status


def test_a_later_sequence_is_later_and_of_one_sequence_the_later_stamp() -> None:
    first, stamped, counted = (
        one(EVENT),
        one(EVENT.replace("DTSTAMP:20270301T090000Z", "DTSTAMP:20270302T090000Z")),
        one(EVENT.replace("SEQUENCE:0", "SEQUENCE:1").replace("DTSTAMP:20270301", "DTSTAMP:20270201")),
    )

    orders = [found.sequence for found in (first, stamped, counted)]
    assert all(isinstance(order, int) and order < 2**63 for order in orders)
    assert orders == sorted(set(orders), key=lambda order: order or 0)
    assert one("UID:v\nDTSTART:20270727T153000Z").sequence is None


def test_one_of_a_series_is_a_visit_of_its_own() -> None:
    at = "RECURRENCE-ID;TZID=Europe/London:20270727T153000"

    assert one(f"{EVENT}{at}").appointment == "v-1#20270727T143000Z"
    assert one(f"{EVENT}{at}", "CANCEL").appointment == "v-1#20270727T143000Z"


@pytest.mark.parametrize(
    ("event", "method", "code"),
    [
        (EVENT.replace("UID:v-1", ""), "REQUEST", "NO_APPOINTMENT_ID"),
        (f"{EVENT}RRULE:FREQ=WEEKLY;COUNT=4", "REQUEST", "RECURRING_VISIT"),
        (f"{EVENT}RECURRENCE-ID;RANGE=THISANDFUTURE:20270727T143000Z", "REQUEST", "RECURRING_VISIT"),
        (EVENT, "REPLY", "UNSUPPORTED_METHOD"),
        (EVENT.replace(";TZID=Europe/London:20270727T153000", ";VALUE=DATE:20270727"), "REQUEST", "BAD_TIME"),
        (EVENT.replace(";TZID=Europe/London", ""), "REQUEST", "NAIVE_TIME"),
        (EVENT.replace("Europe/London", "Nowhere/City"), "REQUEST", "UNKNOWN_ZONE"),
        (EVENT.replace("20270727T153000", "when"), "REQUEST", "BAD_TIME"),
        (f"{EVENT}STATUS:DRAFT", "REQUEST", "UNKNOWN_STATUS"),
        ("UID:v-1", "REQUEST", "START_REQUIRED"),
    ],
)
def test_what_is_no_visit_is_refused_by_name(event: str, method: str, code: str) -> None:
    (found,) = read(event, method)

    assert isinstance(found, Refused)
    assert found.code == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"nothing", "NOT_A_CALENDAR"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "EMPTY_BATCH"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n", "EMPTY_BATCH"),
        (b"", "EMPTY_BATCH"),
        (
            b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;TZID=Europe:20270727T153000Z\r\nEND:VEVENT\r\n",
            "NOT_A_CALENDAR",
        ),
        (b"\xff\xfe\x00", "NOT_A_CALENDAR"),
    ],
)
def test_a_body_that_is_no_calendar_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        ICalendar().parse(body, Hints(LOCAL, NOW))

    assert refused.value.code == code
