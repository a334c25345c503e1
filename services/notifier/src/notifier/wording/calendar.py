"""The calendar entry of a confirmation, a move and a cancellation (D34): iTIP, RFC 5546, as iCalendar, RFC 5545.

Its instants are in UTC: a single visit needs no VTIMEZONE, every calendar shows it in its reader's zone, and a
change of a zone's rules reaches the visit as a new version. It is written here line by line, because a general
library took longer over it than over all the rest of a mail; tests and `templates lint` read it with one.
"""

from datetime import UTC, datetime

from notifier.ledger.domain.notification import Call
from notifier.values.kinds import KINDS
from notifier.wording.words import Words

PRODUCT = "-//Attend//Notifier//EN"
LONGEST_LINE = 75
"""Octets, RFC 5545 3.1; what is longer goes on after a line break and a space."""

_STATUS = {"REQUEST": "CONFIRMED", "CANCEL": "CANCELLED"}
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


def calendar_entry(call: Call, words: Words, summary: str, organizer: str) -> bytes:
    """Return the entry that books, moves or cancels the visit in the patient's calendar.

    The UID is the appointment's own, for ever; the SEQUENCE is its version, so that a later entry takes
    an earlier one's place whatever the order of arrival.

    Args:
        call: The message, of a kind that has an entry.
        summary: What the calendar shows; names no clinic that is sensitive.
        organizer: The sender's address.

    Raises:
        ValueError: The kind has no entry, or the visit no start.
    """
    visit, method = call.visit, KINDS[call.kind].calendar
    if method is None or visit.starts_at is None:
        raise ValueError("this kind of message, or a visit without a start, has no entry")
    lines = [
        "BEGIN:VCALENDAR",
        f"PRODID:{PRODUCT}",
        "VERSION:2.0",
        f"METHOD:{method}",
        "BEGIN:VEVENT",
        f"UID:{visit.appointment_id}@attend",
        f"SEQUENCE:{visit.version}",
        f"DTSTAMP:{_utc(call.at)}",
        f"DTSTART:{_utc(visit.starts_at)}",
        *([f"DTEND:{_utc(visit.ends_at)}"] if visit.ends_at else []),
        f"SUMMARY:{summary.translate(_ESCAPES)}",
        *([f"LOCATION:{words.clinic.translate(_ESCAPES)}"] if words.clinic else []),
        f"STATUS:{_STATUS[method]}",
        f"ORGANIZER:mailto:{organizer}",
        f"ATTENDEE;PARTSTAT=ACCEPTED;RSVP=FALSE:mailto:{call.route.address}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(_folded(line) for line in lines).encode()


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds")[:19].replace("-", "").replace(":", "") + "Z"


def _folded(line: str) -> str:
    """Return the line with its end, broken where it is too long, and never inside a character."""
    if len(line) * 4 <= LONGEST_LINE or len(line.encode()) <= LONGEST_LINE:
        return f"{line}\r\n"
    pieces, room, piece = [], LONGEST_LINE, ""
    for character in line:
        size = len(character.encode())
        if size > room:
            pieces.append(piece)
            piece, room = "", LONGEST_LINE - 1  # the space that opens a continued line counts
        piece, room = piece + character, room - size
    return "\r\n ".join([*pieces, piece]) + "\r\n"
