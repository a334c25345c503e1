"""When a visit is: the most trusted of a message's times, and its length."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from booking.formats.hl7v2 import dtm
from booking.formats.hl7v2.resources import Visit
from booking.formats.hl7v2.segments import path_of
from booking.profiles.domain import TimeKnobs
from booking.values.refusals import Refused
from booking.values.unset import UNSET, Maybe
from booking.values.warned import Details, Warned, dropped

LONGEST = timedelta(hours=24)
"""A visit that would end later ends, by its length, or nobody knows when: an end of another thing was written."""

_MOST_MINUTES = 480
"""A number without a unit that is more is of seconds."""
_NUMBER = re.compile(r"\d+(?:\.\d*)?")
_TIMING = "TQ1"

TAKEN_AWAY = '`""` takes it away'


class Times:
    """Reads the times of one visit.

    Args:
        zone: Of times without offset; None: nobody knows it.
    """

    def __init__(self, visit: Visit, knobs: TimeKnobs, zone: ZoneInfo | None, details: Details) -> None:
        self._visit, self._knobs, self._zone, self._details = visit, knobs, zone, details

    def start(self) -> Maybe[datetime | None]:
        """Return the start; UNSET if none is said, None if it is taken away.

        A time that cannot be read is passed over where another, less trusted one, can.

        Raises:
            Refused: None that is said can be read: as the best one, BAD_TIME, NAIVE_TIME, START_IN_SPRING_GAP,
                TIME_OUT_OF_RANGE. SEVERAL_TIMES.
        """
        self._check_timings()
        refused: list[Refused] = []
        for path in self._knobs.start:
            said = self._visit.said(path)
            if said is None:
                self._details.took("starts_at", path, "hl7v2.times.start", TAKEN_AWAY)
                return None
            if said is UNSET:
                continue
            try:
                found = self._instant(said, path)
            except Refused as refusal:
                refused.append(refusal)
                continue
            self._details.warnings += map(dropped, refused)
            self._took("starts_at", path, "hl7v2.times.start", said)
            return found
        if refused:
            raise refused[0]
        return UNSET

    def end(self, start: datetime, *, is_new: bool) -> Maybe[datetime | None]:
        """Return the end: as it is said, else by the length, for a new visit by the usual one; UNSET: nobody says."""
        for path in self._knobs.end:
            said = self._visit.said(path)
            if isinstance(said, str):
                found = self._details.read(None, self._instant, said, path)
                if found is not None and start < found <= start + LONGEST:
                    self._took("ends_at", path, "hl7v2.times.end", said)
                    return found
        for path, length in self._lengths():
            self._details.took("ends_at", path, "hl7v2.times.duration", "the start and this length")
            return start + length
        if not is_new:
            return UNSET
        self._details.took("ends_at", "", "hl7v2.times.default_minutes", "nobody says how long it is")
        return start + timedelta(minutes=self._knobs.default_minutes)

    def _took(self, field: str, path: str, knob: str, said: str) -> None:
        if self._details.trail is not None:
            rule = "" if dtm.has_offset(said) else f"without offset: read in {self._zone}"
            self._details.took(field, path, knob, rule)

    def _instant(self, written: str, path: str) -> datetime:
        return instant(written, self._zone, path, self._knobs, self._details.warnings)

    def _check_timings(self) -> None:
        """Refuse several TQ1 with other times: occurrences, or alternatives, and nothing says which one is meant."""
        several = {text for one in self._visit.segments(_TIMING) if (text := one.text(7))}
        if len(several) > 1 and self._knobs.several_tq1 == "refuse" and not self._visit.text("SCH-3"):
            raise Refused(
                "SEVERAL_TIMES", "several TQ1 with other times: send one for each visit, under SCH-3", "TQ1-7"
            )

    def _lengths(self) -> Iterator[tuple[str, timedelta]]:
        for path in self._knobs.duration:
            where = path_of(path)
            for segment in self._visit.segments(where.segment):
                unit = segment.text(where.field, 2) or segment.text(where.field + 1)
                if where.segment == _TIMING:
                    unit = segment.text(where.field, 2)
                if (length := _length(segment.text(where.field), unit)) is not None:
                    yield path, length


def instant(
    written: str, zone: ZoneInfo | None, place: str, knobs: TimeKnobs, warnings: list[Warned] | None = None
) -> datetime:
    """Return the instant that is written, in UTC, by the source's knobs (`dtm.instant`)."""
    return dtm.instant(written, zone, place, date_only=knobs.date_only, gap=knobs.gap, warnings=warnings)


def _length(number: str, unit: str) -> timedelta | None:
    """Return a length; None if there is none, or none that a visit has."""
    found = _NUMBER.match(number)
    if found is None:
        return None
    amount, of = float(found[0]), unit.strip().casefold()
    seconds = amount
    if of.startswith("h"):
        seconds = amount * 3600
    elif of.startswith("d"):
        seconds = amount * 86_400
    elif of.startswith("m") or (not of and amount <= _MOST_MINUTES):
        seconds = amount * 60
    return timedelta(seconds=seconds) if 0 < seconds <= LONGEST.total_seconds() else None
