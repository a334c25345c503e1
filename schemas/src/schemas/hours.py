"""The hours in which a patient may be reminded, and what becomes of a moment outside them (D16).

Hours are the wall clock of the clinic. They include their first minute and not their last. Whole numbers that
stand for time are microseconds (`schemas.instants`).
"""

from datetime import datetime, time, timedelta
from typing import NamedTuple

from schemas.appointments import SendWindow
from schemas.instants import HOUR, instant, micros
from schemas.zones import zone_of

LONGEST_MOVE = 12 * HOUR
"""Further back than that a reminder would be another one (D16)."""

BEFORE_START = HOUR
"""A moved reminder comes no later than this before the visit (D16)."""

BEFORE_CLOSING = HOUR // 2
"""A moved reminder leaves so long before the hours end: as long as one channel is tried (D33)."""


class Hours(NamedTuple):
    """Local hours; none at all if they close before they open."""

    opens: time
    closes: time

    def are_open(self, at: int, zone: str) -> bool:
        """Say whether an instant lies within the hours."""
        return self.opens <= instant(at).astimezone(zone_of(zone)).time() < self.closes

    def before(self, due: int, start: int, zone: str) -> int | None:
        """Return when a reminder leaves instead whose moment lies outside: in the hours before it, or None.

        Args:
            due: Its moment, outside the hours.
            start: Of the visit.
            zone: The clinic's IANA zone.
        """
        there = zone_of(zone)
        local = instant(due).astimezone(there)
        day = local.date() if local.time() >= self.closes else local.date() - timedelta(days=1)
        opening = micros(datetime.combine(day, self.opens, there))
        closing = micros(datetime.combine(day, self.closes, there))
        moved = min(closing - BEFORE_CLOSING, start - BEFORE_START)
        return moved if moved >= opening and due - moved <= LONGEST_MOVE else None


def hours_of(window: SendWindow) -> Hours:
    """Return the hours of a policy's window."""
    return Hours(window.opens, window.closes)
