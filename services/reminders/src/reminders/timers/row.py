"""One row of the timer table, packed: everything that is known of one key's timers.

Format 2, little endian, instants in microseconds since 1970 (UTC):

| bytes | what |
|---|---|
| 1 | format, 2 |
| 4 | version of the source that this row holds |
| 4 | generation of the schedule |
| 8 | the soonest pending timer's instant, or `NEVER` |
| 8 | anchor: the instant that the timers lead up to |
| 4 | number of the terms: which timers the row has, and how far each is from the anchor |
| n | marks, two bits a timer: timer i is in bits 2 (i mod 4) of byte i div 4; see `TimerState` |

A row of four timers has 30 bytes, which with CPython's head of a `bytes` object (33) fills one block of 64.
A move, a cancellation or a firing is one write of one row. The terms are rows of their own (`terms.py`).
"""

import struct
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import NamedTuple

FORMAT = 2
NEVER = 2**63 - 1
"""The instant of a row without a pending timer."""

LARGEST_COUNT = 2**32 - 1
"""Of versions, generations and terms."""

_HEAD = struct.Struct("<BIIqqI")
_NEXT_DUE = struct.Struct("<9xqq")
_PLACE = struct.Struct("<9xqqI")


class TimerState(IntEnum):
    """What became of a timer; only PENDING ones are ever fired.

    VOID ones never will be as things stand; a newer version may plan them again. Over are those whose time came: FIRED,
    or LAPSED where nothing left.
    """

    PENDING = 0
    FIRED = 1
    VOID = 2
    LAPSED = 3


class Row(NamedTuple):
    """All timers of one key.

    Attributes:
        version: Version of the source that led to this row; only a higher one replaces it.
        generation: Raised by the source when earlier timers no longer count.
        next_due: The soonest pending timer's instant in microseconds, or `NEVER`.
        anchor: What the timers lead up to, in microseconds. The row leaves some time after it.
        terms: Number of the terms in this partition.
        marks: Two bits a timer.
    """

    version: int
    generation: int
    next_due: int
    anchor: int
    terms: int
    marks: bytes


class UnreadableRow(ValueError):
    """Bytes in the changelog that no format explains. Never skipped: it would lose timers silently."""


def marks_of(states: Sequence[int]) -> bytes:
    """Return the marks of timers in their order; at least one byte."""
    if not any(states):
        return bytes(max(1, (len(states) + 3) >> 2))
    marks = bytearray(1)
    for number, state in enumerate(states):
        place, shift = number >> 2, (number & 3) << 1
        if place == len(marks):
            marks.append(0)
        marks[place] |= state << shift
    return bytes(marks)


def state_of(marks: bytes, number: int) -> int:
    """Return one timer's state; PENDING for a timer beyond the marks."""
    place = number >> 2
    return marks[place] >> ((number & 3) << 1) & 3 if place < len(marks) else 0


def pack(row: Row) -> bytes:
    """Return the row's bytes in the newest format."""
    return _HEAD.pack(FORMAT, row[0], row[1], row[2], row[3], row[4]) + row[5]


def unpack(packed: bytes) -> Row:
    """Return the row in `packed`."""
    if len(packed) <= _HEAD.size or packed[0] != FORMAT:
        raise UnreadableRow(f"row of {len(packed)} bytes, format {packed[0] if packed else 'none'}, cannot be read")
    _, version, generation, next_due, anchor, terms = _HEAD.unpack_from(packed)
    return Row(version, generation, next_due, anchor, terms, packed[_HEAD.size :])


instants_of: Callable[[bytes], tuple[int, int]] = _NEXT_DUE.unpack_from
"""`instants` of a row that was read or packed here before: nothing is checked again."""


def instants(packed: bytes) -> tuple[int, int]:
    """Return next_due and anchor of a packed row, in microseconds since 1970, without reading the rest.

    Raises:
        UnreadableRow: Another format, or bytes cut short.
    """
    if len(packed) <= _HEAD.size or packed[0] != FORMAT:
        unpack(packed)
    return _NEXT_DUE.unpack_from(packed)


def placed(packed: bytes) -> tuple[int, int, int]:
    """Return next_due and anchor of a packed row, in microseconds since 1970, and the number of its terms.

    Raises:
        UnreadableRow: Another format, or bytes cut short.
    """
    if len(packed) <= _HEAD.size or packed[0] != FORMAT:
        unpack(packed)
    return _PLACE.unpack_from(packed)
