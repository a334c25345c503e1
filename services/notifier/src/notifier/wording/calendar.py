"""The calendar entry of a confirmation, a move and a cancellation (D34): iTIP, RFC 5546, as iCalendar, RFC 5545.

Its instants are in UTC: a single visit needs no VTIMEZONE, every calendar shows it in its reader's zone, and a
change of a zone's rules reaches the visit as a new version. The organiser is who writes the mail, and the attendee who
reads it: Outlook and Google take an entry for an invitation, or for its end, only then.
"""

from datetime import UTC, timedelta

from icalendar import Calendar, Event, vCalAddress

from notifier.ledger.domain.notification import Call
from notifier.values.kinds import KINDS
from notifier.wording.words import Words

PRODUCT = "-//Attend//Notifier//EN"

_STATUS = {"REQUEST": "CONFIRMED", "CANCEL": "CANCELLED"}


def calendar_entry(call: Call, words: Words, summary: str, organizer: str, lasts: timedelta) -> bytes:
    """Return the entry that books, moves or cancels the visit in the patient's calendar.

    The UID is the appointment's own, for ever; the SEQUENCE is its version, so that a later entry takes
    an earlier one's place whatever the order of arrival.

    Args:
        summary: What the calendar shows; names no clinic that is sensitive.
        lasts: How long a visit is taken to last that has no end: without one an event takes no time (RFC 5545, 3.6.1).
    """
    visit, method = call.visit, KINDS[call.kind].calendar
    if method is None or visit.starts_at is None:
        raise ValueError("this kind of message, or a visit without a start, has no entry")
    event = Event()
    event.add("UID", f"{visit.appointment_id}@attend")
    event.add("SEQUENCE", visit.version)
    event.add("DTSTAMP", call.at.astimezone(UTC))
    event.add("DTSTART", visit.starts_at.astimezone(UTC))
    if visit.ends_at:
        event.add("DTEND", visit.ends_at.astimezone(UTC))
    else:
        event.add("DURATION", lasts)
    event.add("SUMMARY", _text(summary))
    if place := words.address or words.clinic:
        event.add("LOCATION", _text(place))
    event.add("STATUS", _STATUS[method])
    writer = vCalAddress(f"mailto:{organizer}")
    if words.clinic:
        writer.params["CN"] = words.clinic
    event.add("ORGANIZER", writer)
    attendee = vCalAddress(f"mailto:{call.route.address}")
    attendee.params.update(PARTSTAT="ACCEPTED", RSVP="FALSE")
    event.add("ATTENDEE", attendee)
    entry = Calendar()
    entry.add("PRODID", PRODUCT)
    entry.add("VERSION", "2.0")
    entry.add("METHOD", method)
    entry.add_component(event)
    written: bytes = entry.to_ical()
    return written


def _text(value: str) -> str:
    """Return a text of which `icalendar` makes no line break: it takes a backslash before N for one (7.3).

    A zero-width space stands between them; the backslash itself is escaped by the library, as any.
    """
    return value.replace("\\N", "\\\u200bN")
