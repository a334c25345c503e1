"""What a message tells of a visit: its trigger event by what the source's status word says; a table (0059).

The trigger wins, because it is what happened; the word refines what was booked or changed. Where they contradict each
other the message is taken by the trigger, and it is counted; where both a live and a dead visit would be true, nothing
is sent for it and a person looks.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from booking.profiles.domain import Meaning, Word
from booking.values.unset import UNSET, Maybe
from schemas.appointments import NOT_YET_BOOKED, Status

TRIGGERS: Mapping[str, Meaning] = {
    "S12": Meaning.BOOKED,
    "S13": Meaning.MOVED,
    "S14": Meaning.CHANGED,
    "S15": Meaning.CANCELLED,
    "S16": Meaning.STOPPED,
    "S17": Meaning.DELETED,
    **dict.fromkeys(("S18", "S19", "S20", "S21", "S22"), Meaning.RESOURCES),
    "S23": Meaning.IGNORED,
    "S24": Meaning.IGNORED,
    "S26": Meaning.NO_SHOW,
    "S27": Meaning.CHANGED,  # a broadcast: whatever it names is new or as it is now, and what it does not name stays
}
"""Trigger event → what it means, where the source's profile does not say otherwise."""

COLUMNS: tuple[Word | None, ...] = (None, *Word)
"""The columns of the table; None: no word, or one that nobody knows."""

_CHANGED = (
    "=booked  pending    waitlist   >booked    ^booked+c  arrived    checked-in  fulfilled  cancelled   "
    "entered-in-error   noshow             =booked!"
)

# what comes before: `=` a visit that is known keeps its status, `>` also but one that was not booked yet, `^` one that
# has begun does, `x` one that is cancelled does; after: `+c` it is confirmed, `!` they contradict each other, `H` held
ROWS: Mapping[Meaning, str] = {
    Meaning.BOOKED: (
        "^booked  pending    waitlist   ^booked    ^booked+c  arrived    checked-in  fulfilled  cancelled!H "
        "entered-in-error!  noshow!            ^booked!"
    ),
    Meaning.MOVED: (
        "booked   pending    waitlist   booked     booked     arrived    checked-in  fulfilled! booked!H    "
        "entered-in-error!H booked!H           booked!"
    ),
    Meaning.CHANGED: _CHANGED,
    Meaning.RESOURCES: _CHANGED,
    Meaning.CANCELLED: (
        "cancelled cancelled! cancelled! cancelled! cancelled! cancelled! cancelled! cancelled!H cancelled  "
        "cancelled          noshow|cancelled!  cancelled!"
    ),
    Meaning.STOPPED: (
        "^cancelled ^cancelled ^cancelled ^cancelled! ^cancelled! =booked! ^cancelled fulfilled  cancelled  "
        "^cancelled         ^cancelled!        ^cancelled!"
    ),
    Meaning.DELETED: (
        "entered-in-error entered-in-error entered-in-error entered-in-error! entered-in-error! entered-in-error!H "
        "entered-in-error!H entered-in-error!H entered-in-error entered-in-error entered-in-error! entered-in-error"
    ),
    Meaning.NO_SHOW: (
        "noshow   noshow!    noshow!    noshow     noshow     noshow!    noshow!H    noshow!H   xnoshow!    "
        "noshow!            noshow             noshow!"
    ),
}
"""What a message means → its outcomes by `COLUMNS`; with a bar: once the visit's time has come, else."""

BEGUN = (Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED)
_KEEPS: Mapping[str, tuple[Status, ...]] = {
    "": (),
    "=": tuple(Status),
    ">": tuple(status for status in Status if status not in NOT_YET_BOOKED),
    "^": BEGUN,
    "x": (Status.CANCELLED,),
}
_CELL = re.compile(r"([=>^x]?)([a-z][a-z-]+)(\+c)?(!)?(H)?")


class Outcome(NamedTuple):
    """What a message makes of a visit.

    Attributes:
        status: That of a visit which is not known, or is known with a status that is not in `keeps`.
        keeps: Statuses that stay, if upstream itself said one of them last.
        confirmed: UNSET: as it is known.
        disagrees: The trigger and the word contradict each other.
        holds: And so much that nothing is sent for it, and a person looks.
    """

    status: Status
    keeps: tuple[Status, ...] = ()
    confirmed: Maybe[bool] = UNSET
    disagrees: bool = False
    holds: bool = False


def _read(cell: str) -> Outcome:
    found = _CELL.fullmatch(cell)
    if found is None:
        raise ValueError(f"no outcome: {cell}")
    keeps, status, confirmed, disagrees, holds = found.groups()
    return Outcome(
        Status(status), _KEEPS[keeps], True if confirmed else UNSET, disagrees is not None, holds is not None
    )


TABLE: Mapping[tuple[Meaning, Word | None], tuple[Outcome, Outcome]] = {
    (meaning, word): (_read(cell.partition("|")[0]), _read(cell.rpartition("|")[2]))
    for meaning, row in ROWS.items()
    for word, cell in zip(COLUMNS, row.split(), strict=True)
}
"""(meaning, word) → the outcome once the visit's time has come, and before. Every pair but the ignored is in it."""


def outcome(meaning: Meaning, word: Word | None, *, started: bool) -> Outcome | None:
    """Return what a message makes of its visit; None: it is of no visit, and is ignored."""
    if meaning is Meaning.IGNORED:
        return None
    after, before = TABLE[meaning, word]
    return after if started else before
