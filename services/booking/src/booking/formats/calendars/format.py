"""iCalendar behind the port: each VEVENT is an event, and is answered for itself."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import icalendar
from icalendar.timezone import tzp

from booking.appointments.domain.command import BookAppointment
from booking.formats.calendars import event
from booking.formats.port import Hints, Meant, Parsed
from booking.values import times
from booking.values.refusals import Refused
from booking.values.trail import Trail

MEDIA_TYPES = ("text/calendar",)
LARGEST_BATCH = 1_000

_LIBRARYS = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError, RecursionError)
"""What the library and its zones raise of spoiled bodies: a TZID that is a folder of zones is an OSError."""

_BEGINS = re.compile(rb"(?im)^(?=BEGIN:VCALENDAR)")

_EXAMPLE = "\r\n".join(
    (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//EYE//Booking//EN", "METHOD:REQUEST", "BEGIN:VEVENT", "UID:v-1",
        "SEQUENCE:0", "DTSTAMP:20270301T090000Z", "DTSTART;TZID=Europe/London:20270312T100000", "DURATION:PT30M",
        "LOCATION:EYE", "ATTENDEE;CN=Ada Test:mailto:ada@example.org", "END:VEVENT", "END:VCALENDAR", "",
    )
)  # fmt: skip


class ICalendar:
    """`port.Format` of iCalendar (RFC 5545) in the words of RFC 5546: PUBLISH, REQUEST and CANCEL."""

    media_types = MEDIA_TYPES
    topic_content_types: Sequence[str] = ()
    openapi: Mapping[str, Any] = {"schema": {"type": "string", "example": _EXAMPLE}}

    def parse(self, body: bytes, hints: Hints) -> Parsed:
        """See `port.Format`."""
        meant = hints.meant()
        pairs = [(calendar, one) for calendar in _calendars(body) for one in calendar.walk("VEVENT")]
        if len(pairs) > LARGEST_BATCH:
            raise Refused("BATCH_TOO_LARGE", f"at most {LARGEST_BATCH} events")
        if not pairs:
            raise Refused("EMPTY_BATCH", "no event in it", "VCALENDAR.VEVENT")
        read = (
            _or_refusal(one, _around(calendar, meant, hints.client.client_id, event.place_of(one)), hints.trail())
            for calendar, one in pairs
        )
        return Parsed(list(read), is_batch=True)

    def event_id(self, body: bytes) -> str | None:
        """See `port.Format`: a refused body is many events, and none."""
        return None


def _calendars(body: bytes) -> Sequence[Any]:
    """Return the calendars of a body, each read by the zones that it defines itself.

    The library keeps a zone of a name that it does not know for all bodies after it: another's zone would be believed.
    """
    found: list[Any] = []
    try:
        for part in _BEGINS.split(body):
            tzp.use_default()
            found += icalendar.Calendar.from_ical(part, multiple=True) if part.strip() else ()
        return found
    except _LIBRARYS:
        raise Refused("NOT_A_CALENDAR", "no calendar of RFC 5545: BEGIN:VCALENDAR … END:VCALENDAR") from None


def _around(calendar: Any, meant: Meant, client: str, place: str) -> event.Calendar:
    zone, named = meant.zone_at(place), str(calendar.get("X-WR-TIMEZONE", ""))
    if zone is None and named:
        try:
            zone = times.zone_of(named)
        except Refused:
            zone = None
    method = str(calendar.get("METHOD", "")).strip().upper()
    return event.Calendar(client, meant.source, meant.profile, method, zone, meant.clinic)


def _or_refusal(one: Any, around: event.Calendar, trail: Trail | None) -> BookAppointment | Refused:
    try:
        return event.command(one, around, trail)
    except Refused as refusal:
        return refusal
    except _LIBRARYS:
        return Refused("NOT_A_CALENDAR", "the event cannot be read as RFC 5545 has it", "VCALENDAR.VEVENT")
