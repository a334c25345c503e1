"""What stands in a patient's calendar in the end, by the entries of all his mails: what is booked, and nothing else."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from icalendar import Calendar

from tests.reality.test_told import CONFIRMED, HAS_MOVED, IS_CANCELLED, NEXT_WEEK, visit
from tests.support.reality import Case, Seen

LATER = timedelta(minutes=10)
TWIN: dict[str, Any] = {"id": "w-{mark}"}
AFTER_NEXT: dict[str, Any] = {"start": "{S+14d}", "end": "{E+14d}"}


@dataclass(frozen=True)
class Kept(Case):
    """A case, and the starts that the patient's calendar has in the end."""

    starts: tuple[str, ...] = ()


CASES = (
    Kept("booked", [visit(1)], told=[CONFIRMED], starts=("{S}",)),
    Kept("moved", [visit(1), visit(2, **NEXT_WEEK)], told=[CONFIRMED, HAS_MOVED], starts=("{S+7d}",)),
    Kept("cancelled", [visit(1), visit(2, "cancelled")], told=[CONFIRMED, IS_CANCELLED]),
    Kept(
        "cancelled, and another in its place",
        [visit(1), visit(2, "cancelled"), visit(3, **TWIN, **NEXT_WEEK)],
        told=[CONFIRMED, HAS_MOVED],
        starts=("{S+7d}",),
    ),
    Kept(
        "another booked, and this one cancelled for it",
        [visit(1), visit(2, **TWIN, **NEXT_WEEK), visit(3, "cancelled")],
        starts=("{S+7d}",),
    ),
    Kept(
        "another in its place, which is moved",
        [visit(1), visit(2, "cancelled"), visit(3, **TWIN, **NEXT_WEEK), visit(4, **TWIN, **AFTER_NEXT)],
        told=[CONFIRMED, HAS_MOVED, HAS_MOVED],
        starts=("{S+14d}",),
    ),
    Kept(
        "another in its place, which is cancelled",
        [visit(1), visit(2, "cancelled"), visit(3, **TWIN, **NEXT_WEEK), visit(4, "cancelled", **TWIN, **NEXT_WEEK)],
        told=[CONFIRMED, HAS_MOVED, IS_CANCELLED],
    ),
    Kept(
        "another in its place, and this one booked again beside it",
        [visit(1), visit(2, "cancelled"), visit(3, **TWIN, **NEXT_WEEK), visit(4)],
        starts=("{S}", "{S+7d}"),
    ),
    Kept(
        "another in its place, and back again",
        [
            visit(1),
            visit(2, "cancelled"),
            visit(3, **TWIN, **NEXT_WEEK),
            visit(4, "cancelled", **TWIN, **NEXT_WEEK),
            visit(5),
        ],
        starts=("{S}",),
    ),
    Kept(
        "moved, cancelled, another in its place, and a third in the place of that",
        [
            visit(1),
            visit(2, start="{S+1d}", end="{E+1d}"),
            visit(3, "cancelled", start="{S+1d}", end="{E+1d}"),
            visit(4, **TWIN, **NEXT_WEEK),
            visit(5, "cancelled", **TWIN, **NEXT_WEEK),
            visit(6, id="x-{mark}", **AFTER_NEXT),
        ],
        starts=("{S+14d}",),
    ),
)  # fmt: skip


def kept(said: list[str]) -> list[datetime]:
    """Return the starts in a calendar that takes these mails' entries as RFC 5546 has it: by UID and SEQUENCE."""
    found: dict[str, tuple[int, bool, datetime]] = {}
    for text in said:
        for block in re.findall(r"BEGIN:VCALENDAR.*?END:VCALENDAR", text, re.DOTALL):
            calendar: Any = Calendar.from_ical(block.replace("\n", "\r\n"))
            [event] = calendar.walk("VEVENT")
            uid, sequence = str(event["UID"]), int(event["SEQUENCE"])
            if sequence >= found.get(uid, (0,))[0]:
                found[uid] = (sequence, calendar["METHOD"] == "REQUEST", event["DTSTART"].dt)
    return sorted(start for _, stands, start in found.values() if stands)


def test_d37_a_calendar_that_takes_every_entry_has_what_is_booked_and_nothing_else(seen: Seen) -> None:
    seen.judge()
    assert isinstance(seen.case, Kept)
    expected = [datetime.fromisoformat(one) for one in seen.words.filled(list(seen.case.starts))]

    assert kept(seen.said) == expected, [line for text in seen.said for line in text.splitlines() if "METHOD" in line]
