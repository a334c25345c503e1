"""The calendar entry of a confirmation (D34)."""

from icalendar import Calendar, Event, vCalAddress, vText

from notifier.adapters.templates import Words
from notifier.domain.ledger import Call

PRODUCT = "-//Attend//Notifier//EN"


def invitation(call: Call, words: Words, summary: str, organizer: str) -> bytes:
    """Return an iTIP REQUEST for the visit.

    The UID is the appointment's own, for ever; the SEQUENCE is its version, so that a later entry takes
    an earlier one's place whatever the order of arrival. A cancellation will use both again (R27).

    Args:
        call: The message.
        words: Its words.
        summary: The subject, which names no clinic that is sensitive.
        organizer: The sender's address.
    """
    event = Event()
    event.add("uid", f"{call.visit.appointment_id}@attend")
    event.add("sequence", call.visit.version)
    event.add("dtstamp", call.at)
    event.add("dtstart", call.visit.starts_at)
    if call.visit.ends_at is not None:
        event.add("dtend", call.visit.ends_at)
    event.add("summary", vText(summary))
    if words.clinic:
        event.add("location", vText(words.clinic))
    event.add("status", "CONFIRMED")
    event["organizer"] = vCalAddress(f"mailto:{organizer}")
    attendee = vCalAddress(f"mailto:{call.route.address}")
    attendee.params["PARTSTAT"] = vText("ACCEPTED")
    attendee.params["RSVP"] = vText("FALSE")
    event.add("attendee", attendee, encode=False)
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "REQUEST")
    calendar.add_component(event)
    return bytes(calendar.to_ical())
