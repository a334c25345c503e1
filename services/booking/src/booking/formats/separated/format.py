"""Separated values behind the port: a file, or a part of one with its first line again."""

from collections.abc import Mapping, Sequence
from typing import Any

from booking.appointments.domain.command import BookAppointment
from booking.formats.port import Hints, Meant, Parsed
from booking.formats.separated import row
from booking.formats.separated.columns import index_of, places_of, wishes_of
from booking.formats.separated.rows import rows_of
from booking.formats.separated.sheet import Sheet, plain
from booking.formats.separated.times import Walls
from booking.formats.separated.written import day_first
from booking.formats.status_words import folded
from booking.profiles.csv_knobs import Column, CsvProfile
from booking.values.refusals import Refused
from booking.values.trail import Trail

MEDIA_TYPES = ("text/csv", "application/csv", "text/tab-separated-values")
LARGEST_BATCH = 1_000

_EXAMPLE = "appointment_id,patient_id,start,duration,status\nv-1,p-1,2027-03-12T10:00:00+00:00,30,booked\n"


class SeparatedValues:
    """`port.Format` of separated values: each row is an event, and is answered for itself."""

    media_types = MEDIA_TYPES
    topic_content_types: Sequence[str] = ()
    openapi: Mapping[str, Any] = {"schema": {"type": "string", "example": _EXAMPLE}}

    def parse(self, body: bytes, hints: Hints) -> Parsed:
        """See `port.Format`: which column is what the source's profile says (`csv`)."""
        meant = hints.meant()
        knobs = meant.profile.csv or CsvProfile()
        rows = rows_of(body, knobs)
        header, rows = (rows[0], rows[1:]) if knobs.header else (None, rows)
        if len(rows) > LARGEST_BATCH:
            raise Refused("BATCH_TOO_LARGE", f"at most {LARGEST_BATCH} rows")
        sheet = sheet_of(header, knobs, meant, hints.client.client_id)
        sheet = sheet._replace(walls=sheet.walls._replace(is_day_first=_day_first(rows, sheet)))
        return Parsed([_or_refusal(cells, sheet, hints.trail()) for cells in rows], is_batch=True)

    def event_id(self, body: bytes) -> str | None:
        """See `port.Format`: a refused body is many events, and none."""
        return None


def sheet_of(header: Sequence[str] | None, knobs: CsvProfile, meant: Meant, client: str) -> Sheet:
    """Return how the rows below a first line are read.

    Raises:
        Refused: UNKNOWN_COLUMN, NO_COLUMNS.
    """
    places = places_of(header, knobs)
    return Sheet(
        client=client,
        source=meant.source,
        profile=meant.profile,
        knobs=knobs,
        places=places,
        names=[index_of(name, header, f"csv.id.{number}") for number, name in enumerate(knobs.id)],
        walls=Walls(meant.zone_at(), knobs.date_format),
        zone_at=meant.zone_at,
        clinic=meant.clinic,
        words={folded(word): of for word, of in knobs.words.items()},
        yes={word.casefold() for word in knobs.true_words},
        no={"", *(word.casefold() for word in knobs.false_words)},
        wishes=wishes_of(header, places, knobs),
    )


def _day_first(rows: Sequence[Sequence[str]], sheet: Sheet) -> bool | None:
    """Return which of a date's numbers is the day, as those of the rows prove that can be read in one way alone."""
    if sheet.knobs.date_format:
        return None
    columns = [sheet.places[one] for one in (Column.START, Column.START_DATE) if one in sheet.places]
    return day_first(plain(cells[at]) for cells in rows for at in columns if at < len(cells))


def _or_refusal(cells: Sequence[str], sheet: Sheet, trail: Trail | None) -> BookAppointment | Refused:
    try:
        return row.command(cells, sheet, trail)
    except Refused as refusal:
        return refusal
