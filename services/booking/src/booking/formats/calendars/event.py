"""From an event of a calendar to the command that it stands for. What is not of a visit stays in the calendar."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from icalendar import Event, vDDDTypes

from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.statuses import NEEDS_NO_START
from booking.formats.calendars.trail import note_places
from booking.patients.domain.details import Addresses, PersonDetails
from booking.profiles.domain import Profile
from booking.values import identity, texts, times
from booking.values.refusals import Refused
from booking.values.trail import Trail
from booking.values.unset import UNSET, Maybe
from booking.values.warned import Details
from schemas.appointments import Status

_STATUSES = {"": Status.BOOKED, "CONFIRMED": Status.BOOKED, "TENTATIVE": Status.PENDING, "CANCELLED": Status.CANCELLED}
_TAKEN = frozenset({"", "PUBLISH", "REQUEST", "CANCEL"})
_THINGS = frozenset({"ROOM", "RESOURCE", "GROUP"})
_NO_ADDRESS = "invalid:"
"""As Google writes an attendee whose address it does not tell: that of everybody would be one."""
_TEL = "tel:"
_MAIL = re.compile("(?i)mailto:")
_ORDERS = 2**34
"""Seconds that one SEQUENCE has room for: till the year 2514."""
_MOST_CHANGES = 2**28


class Calendar(NamedTuple):
    """What came around an event, and how it is read.

    Attributes:
        method: METHOD, empty if none.
        zone: Of floating times; None: nobody knows it.
        clinic: The clinic where LOCATION names none that is known.
    """

    client: str
    source: str
    profile: Profile
    method: str
    zone: ZoneInfo | None
    clinic: str | None


def command(event: Event, around: Calendar, trail: Trail | None = None) -> BookAppointment:
    """Return the command that an event stands for.

    Args:
        trail: Takes where its values came from; None: nobody asked.

    Raises:
        Refused: UNSUPPORTED_METHOD, NO_APPOINTMENT_ID, RECURRING_VISIT, UNKNOWN_STATUS, or the start of a visit that
            stands cannot be read.
    """
    if around.method not in _TAKEN:
        raise Refused("UNSUPPORTED_METHOD", "a calendar of PUBLISH, REQUEST or CANCEL is taken", "VCALENDAR.METHOD")
    status = _status(event, around)
    details = Details(trail=trail)
    if trail is not None:
        note_places(event, around.method, around.profile, details)
    name = _name(event, around)
    is_detail = status in NEEDS_NO_START
    starts_at = details.read(UNSET, _start, event, around, details) if is_detail else _start(event, around, details)
    digest = _digest(event, around)
    person = _patient(event)
    place = place_of(event)
    is_code = identity.is_clinic_code(place)
    return BookAppointment(
        client=around.client,
        key=f"event:{digest.hex()}",
        body_sha256=digest,
        source=around.source,
        appointment=name,
        status=status,
        sequence=_order(event, details),
        occurred_at=_stamp(event),
        mode=around.profile.mode,
        patient=None if person is None else person.name,
        person=None if person is None else _details(person, around.profile),
        clinic=place if is_code else None if place else around.clinic,
        clinic_identifiers=(("LOCATION", place),) if place and not is_code else (),
        clinic_otherwise=around.clinic,
        service_type=_service(event, details),
        starts_at=starts_at,
        ends_at=details.read(UNSET, _end, event, around, starts_at, details)
        if isinstance(starts_at, datetime)
        else UNSET,
        warnings=tuple(details.warnings),
    )


def place_of(event: Event) -> str:
    """Return where an event is, as it says; empty if it does not."""
    return str(event.get("LOCATION", "")).strip()


def _status(event: Event, around: Calendar) -> Status:
    if around.method == "CANCEL":
        return Status.CANCELLED
    said = str(event.get("STATUS", "")).strip().upper()
    if said not in _STATUSES:
        raise Refused("UNKNOWN_STATUS", "CONFIRMED, TENTATIVE or CANCELLED", "VEVENT.STATUS")
    return _STATUSES[said]


def _name(event: Event, around: Calendar) -> str:
    """Return by which name the visit is known: its UID, of one of a series also which one it is."""
    uid = str(event.get("UID", "")).strip()
    if not uid:
        raise Refused("NO_APPOINTMENT_ID", "an event has a UID, by which it is known when it is changed", "VEVENT.UID")
    if "RECURRENCE-ID" in event and "RANGE" in event["RECURRENCE-ID"].params:
        text = "send each visit of a series by itself, with its RECURRENCE-ID and no RANGE"
        raise Refused("RECURRING_VISIT", text, "VEVENT.RECURRENCE-ID")
    if "RECURRENCE-ID" in event:
        first = _instant(event["RECURRENCE-ID"], around, "VEVENT.RECURRENCE-ID", Details())
        return texts.identifier(f"{uid}#{first:%Y%m%dT%H%M%SZ}", "VEVENT.UID")
    if "RRULE" in event or "RDATE" in event or any(place == "RRULE" for place, _ in event.errors):
        text = "send each visit of a series by itself, with its RECURRENCE-ID"
        raise Refused("RECURRING_VISIT", text, "VEVENT.RRULE")
    return texts.identifier(uid, "VEVENT.UID")


def _start(event: Event, around: Calendar, details: Details) -> datetime:
    if "DTSTART" not in event:
        raise Refused("START_REQUIRED", "an event without a start is no visit", "VEVENT.DTSTART")
    return _instant(event["DTSTART"], around, "VEVENT.DTSTART", details)


def _end(event: Event, around: Calendar, start: datetime, details: Details) -> datetime:
    if "DTEND" in event:
        return _instant(event["DTEND"], around, "VEVENT.DTEND", details)
    length = getattr(event.get("DURATION"), "dt", None)
    if isinstance(length, timedelta) and length > timedelta():
        return start + length
    minutes = around.profile.csv.default_minutes if around.profile.csv else 30
    return start + timedelta(minutes=minutes)


def _instant(value: Any, around: Calendar, place: str, details: Details) -> datetime:
    """Return the instant of a property: of an hour that is skipped or doubled as RFC 5545 has it (3.3.5)."""
    found = value.dt if isinstance(value, vDDDTypes) else None
    if not isinstance(found, date):
        raise Refused("BAD_TIME", "not a date and time of RFC 5545", place)
    if not isinstance(found, datetime):
        raise Refused("BAD_TIME", "a day alone is no time: say the hour", place)
    if not times.FIRST_YEAR <= found.year <= times.LAST_YEAR:
        raise Refused("TIME_OUT_OF_RANGE", f"not within the years {times.FIRST_YEAR} to {times.LAST_YEAR}", place)
    wall = found.replace(tzinfo=None)
    named = str(value.params.get("TZID", ""))
    if isinstance(found.tzinfo, ZoneInfo):
        return times.of_any_wall_time(wall, found.tzinfo, place, details.warnings)
    if found.tzinfo is not None:
        return found.astimezone(UTC)
    if named:
        return times.of_any_wall_time(wall, times.zone_of(named, place), place, details.warnings)
    if around.zone is None:
        raise Refused("NAIVE_TIME", "name the zone of floating times in the source's profile", place)
    return times.of_any_wall_time(wall, around.zone, place, details.warnings)


def _order(event: Event, details: Details) -> int | None:
    """Return where the event stands among those of its visit: by SEQUENCE, then by DTSTAMP (RFC 5546, 2.1.5)."""

    def counted() -> int:
        said = event.get("SEQUENCE", 0)
        if not isinstance(said, int) or not 0 <= said < _MOST_CHANGES:
            raise Refused("NUMBER_OUT_OF_RANGE", "a count from 0", "VEVENT.SEQUENCE")
        return int(said)

    number, stamp = details.read(None, counted), _stamp(event)
    if number is None or ("SEQUENCE" not in event and stamp is None):
        return None
    return number * _ORDERS + (0 if stamp is None else int(stamp.timestamp()))


def _stamp(event: Event) -> datetime | None:
    """Return when the event was written; None if that is not said in UTC."""
    found = getattr(event.get("DTSTAMP"), "dt", None)
    if not isinstance(found, datetime) or found.tzinfo is None or not 1970 < found.year <= times.LAST_YEAR:
        return None
    return found.astimezone(UTC)


class _Attendee(NamedTuple):
    """Who is asked to come.

    Attributes:
        name: By which he is known: his address, hashed, for a name of a patient stands in addresses and lines of logs.
    """

    name: str
    called: str
    email: str


def _patient(event: Event) -> _Attendee | None:
    """Return the first person asked to come who is not the organizer."""
    organizer = _address(event.get("ORGANIZER", ""))
    for one in _listed(event.get("ATTENDEE")):
        address = _address(one)
        is_thing = str(one.params.get("CUTYPE", "")).upper() in _THINGS
        plays = str(one.params.get("ROLE", "")).upper()
        if (
            address
            and not address.startswith(_NO_ADDRESS)
            and address != organizer
            and not is_thing
            and plays not in {"CHAIR", "NON-PARTICIPANT"}
        ):
            digest = sha256(address.encode("utf-8", "surrogatepass")).hexdigest()[:32]
            return _Attendee(f"attendee|{digest}", str(one.params.get("CN", "")).strip(), address)
    return None


def _address(value: Any) -> str:
    """Return by which address somebody is named: as the parameter EMAIL says, where an id stands for him."""
    said = str(getattr(value, "params", {}).get("EMAIL", "")) or str(value)
    return _MAIL.sub("", said, count=1).strip().casefold()


def _listed(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


def _details(person: _Attendee, profile: Profile) -> PersonDetails:
    given, family = _names(person.called)
    number = person.email.removeprefix(_TEL) if person.email.startswith(_TEL) else ""
    return PersonDetails(
        given_name=given.strip() or None,
        family_name=family.strip() or None,
        own=Addresses((number,) if number else (), (person.email,) if "@" in person.email else ()),
        country=profile.country,
        language_otherwise=profile.language,
    )


def _names(called: str) -> tuple[str, str]:
    """Return given and family name: by the comma, else the last word is the family's; an address is no name."""
    if "@" in called:
        return "", ""
    if "," in called:
        family, _, given = called.partition(",")
    else:
        given, _, family = called.rpartition(" ")
    return given, family


def _service(event: Event, details: Details) -> Maybe[str]:
    """Return the first category: SUMMARY and DESCRIPTION may hold anything, names of patients too."""
    named = [str(one) for group in _listed(event.get("CATEGORIES")) for one in getattr(group, "cats", (group,))]
    return details.read(UNSET, texts.name, named[0], "VEVENT.CATEGORIES") if named and named[0].strip() else UNSET


def _digest(event: Event, around: Calendar) -> bytes:
    return sha256("\0".join((around.source, around.method)).encode() + b"\0" + event.to_ical()).digest()
