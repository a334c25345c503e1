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

DAYS_BACK = 2
"""Days on which the hours before a moment may have ended; of a date that the wall skipped (Apia, 30 December 2011) or
showed twice both readings count."""


class Hours(NamedTuple):
    """Local hours; none at all if they close before they open."""

    opens: time
    closes: time

    def are_open(self, at: int, zone: str) -> bool:
        """Say whether an instant lies within the hours."""
        return self.opens <= instant(at).astimezone(zone_of(zone)).time() < self.closes

    def before(self, due: int, start: int, zone: str) -> int | None:
        """Return when a reminder leaves instead whose moment lies outside: in the hours before it, or None."""
        there = zone_of(zone)
        today = instant(due).astimezone(there).date()
        days = [today - timedelta(days=back) for back in range(DAYS_BACK)]
        ends = [datetime.combine(day, self.closes, there).replace(fold=fold) for day in days for fold in (1, 0)]
        for closing in sorted(map(micros, ends), reverse=True):
            moved = min(closing - BEFORE_CLOSING, start - BEFORE_START)
            if closing <= due <= moved + LONGEST_MOVE and self.are_open(moved, zone):
                return moved
        return None


def hours_of(window: SendWindow) -> Hours:
    """Return the hours of a policy's window."""
    return Hours(window.opens, window.closes)
