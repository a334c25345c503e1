"""How the rows of a file are read, and the texts of one of them by what they are."""

import re
from collections.abc import Callable, Mapping, Sequence, Set
from typing import NamedTuple
from zoneinfo import ZoneInfo

from booking.formats.separated import times
from booking.formats.separated.columns import Wishes
from booking.profiles.csv_knobs import Column, CsvProfile
from booking.profiles.domain import Profile, Word
from booking.values import texts
from booking.values.refusals import Refused

_ROUNDED = re.compile(r"\d(?:[.,]\d+)?E\+?\d{1,2}", re.IGNORECASE | re.ASCII)
_NOTHING = frozenset({"NULL", "(null)", "\\N", "#N/A", "NaN", "0000-00-00", "0000-00-00 00:00:00"})
"""As databases and spreadsheets write that there is nothing."""
_NAMES = frozenset({Column.GIVEN_NAME, Column.FAMILY_NAME, Column.PATIENT_NAME})
_MARKED_AS_TEXT = re.compile(r"'[+=\d]")


class Sheet(NamedTuple):
    """How the rows of a file are read.

    Attributes:
        places: What is read → where it stands, from 0.
        names: Where the values stand that together name a visit; empty: patient, start and place do.
        walls: How times are read, where a row names no clinic by its code.
        zone_at: Code of a clinic → the zone of times without offset there.
        clinic: The clinic of rows that name none.
        words: The source's own status words, folded.
        yes: What says yes, in small letters.
        no: What says no, where nothing is too.
        wishes: Where it stands whether a patient may be written to.
    """

    client: str
    source: str
    profile: Profile
    knobs: CsvProfile
    places: Mapping[Column, int]
    names: Sequence[int]
    walls: times.Walls
    zone_at: Callable[[str], ZoneInfo | None]
    clinic: str | None
    words: Mapping[str, Word]
    yes: Set[str]
    no: Set[str]
    wishes: Wishes

    def at(self, clinic: str) -> "Sheet":
        """Return how rows of a clinic are read."""
        zone = self.zone_at(clinic)
        return self if zone is self.walls.zone else self._replace(walls=self.walls._replace(zone=zone))


class Row:
    """The texts of one row by what they are, without blanks at their ends."""

    __slots__ = ("cells", "sheet")

    def __init__(self, cells: Sequence[str], sheet: Sheet) -> None:
        self.cells, self.sheet = cells, sheet

    def text(self, column: Column) -> str:
        """Return what stands there; empty if nothing does, or the file has no such column."""
        index = self.sheet.places.get(column)
        said = "" if index is None else self._at(index)
        return "" if said in _NOTHING and column not in _NAMES else said

    def wishes(self, column: Column) -> list[str]:
        """Return what stands, in small letters, in each column of that meaning that says anything."""
        said = (self._at(index) for index in self.sheet.wishes.get(column, ()))
        return [one.casefold() for one in said if one and one not in _NOTHING]

    def _at(self, index: int) -> str:
        return plain(self.cells[index]) if index < len(self.cells) else ""

    def identifier(self, column: Column) -> str:
        """Return the id that stands there; empty if none does.

        Raises:
            Refused: ROUNDED_NUMBER, or it cannot be an id.
        """
        said = self.text(column)
        if _ROUNDED.fullmatch(said):
            text = "a spreadsheet rounded this number, and others become the same: save the column as text"
            raise Refused("ROUNDED_NUMBER", text, column)
        return texts.identifier(said, column) if said else ""


def plain(cell: str) -> str:
    """Return a cell without what spreadsheets put around a text so that it stays one: `="007"`, `'+44`."""
    text = cell.strip()
    if text.startswith('="') and text.endswith('"') and len(text) > len('="'):
        return text[2:-1].strip()
    return text[1:] if _MARKED_AS_TEXT.match(text) else text
