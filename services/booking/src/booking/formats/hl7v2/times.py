"""When a visit is: the most trusted of a message's times, and its length."""

import re
from collections.abc import Iterator, Sequence
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
_NUMBER = re.compile(r"([SMHD]?)(\d+(?:\.\d*)?)", re.IGNORECASE)
"""A number, or as within SCH-11 one with its unit before it, as `M30`."""

_UNITS = (
    (re.compile(r"s|se[ck].*"), 1),
    (re.compile(r"m|min.*"), 60),
    (re.compile(r"h|hr.*|hour.*|heure.*|std.*|stunde.*|uur.*"), 3600),
    (re.compile(r"d|day.*|tag.*"), 86_400),
)
"""The names of a unit, in several languages, and its seconds; any other is as none."""

_TIMING, _SCHEDULE = "TQ1", "SCH"

TAKEN_AWAY = '`""` takes it away'


class Times:
    """Reads the times of one visit.

    Args:
        zone: Of times without offset; None: nobody knows it.
    """

    def __init__(self, visit: Visit, knobs: TimeKnobs, zone: ZoneInfo | None, details: Details) -> None:
        self._visit, self._knobs, self._zone, self._details = visit, knobs, zone, details
        self.is_naive = False
        """Whether the start was read by the zone, because it has no offset."""

    def start(self) -> Maybe[datetime | None]:
        """Return the start; UNSET if none is said, None if it is taken away.

        A time that cannot be read, or is taken away, is passed over where another, less trusted one, can be read.

        Raises:
            Refused: None that is said can be read: as the best one, BAD_TIME, NAIVE_TIME, START_IN_SPRING_GAP,
                TIME_OUT_OF_RANGE. SEVERAL_TIMES: occurrences, or alternatives, and nothing says which one is meant.
        """
        refused: list[Refused] = []
        for path in self._knobs.start:
            written = self._written(path)
            if not written:
                continue
            try:
                found = sorted({self._instant(one, path) for one in written})
            except Refused as refusal:
                refused.append(refusal)
                continue
            if len(found) > 1 and self._knobs.several_tq1 == "refuse":
                raise Refused("SEVERAL_TIMES", "several timings with other times: send one for each visit", path)
            self._details.warnings += map(dropped, refused)
            self.is_naive = not dtm.has_offset(written[0])
            self._took("starts_at", path, "hl7v2.times.start", written[0])
            return found[0]
        if refused:
            raise refused[0]
        gone = next((path for path in self._knobs.start if self._visit.said(path) is None), None)
        if gone is None:
            return UNSET
        self._details.took("starts_at", gone, "hl7v2.times.start", TAKEN_AWAY)
        return None

    def end(self, start: datetime, *, is_new: bool) -> Maybe[datetime | None]:
        """Return the end: as it is said, else by the length, for a new visit by the usual one; UNSET: nobody says."""
        for path in self._knobs.end:
            for said in self._written(path):
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

    def _written(self, path: str) -> Sequence[str]:
        """Return what is written there: of a timing (TQ1, SCH-11) all of it, elsewhere the first."""
        where = path_of(path)
        if where.segment not in {_TIMING, _SCHEDULE}:
            said = self._visit.said(path)
            return [said] if isinstance(said, str) else []
        found = [
            segment.text(where.field, where.component, where.sub, repetition)
            for segment in self._visit.segments(where.segment)
            for repetition in range(segment.repetitions(where.field))
        ]
        return [*filter(None, found)]

    def _lengths(self) -> Iterator[tuple[str, timedelta]]:
        for path in self._knobs.duration:
            where = path_of(path)
            for segment in self._visit.segments(where.segment):
                number = segment.text(where.field, where.component)
                units = []
                if where.component == 1:
                    units = [segment.text(where.field, 2)]
                    units += segment.components(where.field + 1) if where.segment != _TIMING else []
                if (length := _length(number, next(filter(None, units), ""))) is not None:
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
    amount, of = float(found[2]), (unit or found[1]).strip().casefold()
    usual = 60 if amount <= _MOST_MINUTES else 1
    seconds = amount * next((of_one for names, of_one in _UNITS if names.fullmatch(of)), usual)
    return timedelta(seconds=seconds) if 0 < seconds <= LONGEST.total_seconds() else None
