"""Which property of a calendar's event says what, for whoever asks."""

from collections.abc import Mapping

from icalendar import Event

from booking.profiles.domain import Profile
from booking.values.warned import Details

_PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "appointment": ("UID", "RECURRENCE-ID"),
    "status": ("STATUS",),
    "sequence": ("SEQUENCE", "DTSTAMP"),
    "occurred_at": ("DTSTAMP",),
    "starts_at": ("DTSTART",),
    "ends_at": ("DTEND", "DURATION"),
    "patient": ("ATTENDEE",),
    "clinic": ("LOCATION",),
    "service_type": ("CATEGORIES",),
    "person.given_name": ("ATTENDEE",),
    "person.family_name": ("ATTENDEE",),
    "person.email": ("ATTENDEE",),
}
"""Field of the command → the properties that say it."""

_RULES = {
    "patient": "the first person who is asked to come and is not the organizer, hashed",
    "sequence": "SEQUENCE, then DTSTAMP",
    "person.given_name": "CN but for its last word",
    "person.family_name": "the last word of CN",
}


def note_places(event: Event, method: str, profile: Profile, details: Details) -> None:
    """Note where each value of an event stands.

    Args:
        method: METHOD of its calendar, empty if none.
    """
    details.took("key", "", "", "a hash of the event")
    details.took("mode", "", "mode")
    if method == "CANCEL":
        details.took("status", "VCALENDAR.METHOD", "", "the calendar cancels what it holds")
    elif "STATUS" not in event:
        details.took("status", "", "", "no status is said: it is booked")
    for field, names in _PROPERTIES.items():
        for name in names:
            if name in event:
                details.took(field, f"VEVENT.{name}", "", _RULES.get(field, ""))
    if "DTEND" not in event and "DURATION" not in event:
        details.took("ends_at", "", "csv.default_minutes", "nobody says how long it is")
    if "LOCATION" not in event and profile.clinic is not None:
        details.took("clinic", "", "clinic", "where none is said")
    for knob in ("country", "language"):
        if getattr(profile, knob) is not None:
            details.took(f"person.{knob}", "", knob, "where nothing else says it")
