"""Rows of format 1, which are read and written anew in the format of today.

Format 1, little endian, all instants in microseconds since 1970 (UTC):

| bytes | what |
|---|---|
| 1 | format, 1 |
| 4 | version of the source that this row holds |
| 4 | generation of the schedule |
| 8 | the row may leave the table after this instant |
| 1 | n, length of the context |
| n | context: the owner's own bytes, of no use any more |
| 1 | number of timers, then for each: |
| 8 | due |
| 8 | not_after |
| 1 | state: 0 pending, 1 fired, 2 void |
| 1 | m, length of the name |
| m | name, UTF-8 |
"""

import struct
from typing import NamedTuple

from reminders.timers.row import UnreadableRow

FORMAT = 1

_HEAD = struct.Struct("<BIIqB")
_TIMER = struct.Struct("<qqBB")


class OldTimer(NamedTuple):
    """A timer of format 1; `due` in microseconds, `state` as today."""

    name: str
    due: int
    state: int


class OldRow(NamedTuple):
    """A row of format 1; `keep_until` in microseconds."""

    version: int
    generation: int
    keep_until: int
    timers: tuple[OldTimer, ...]


def read_old(packed: bytes) -> OldRow:
    """Return the row in `packed`.

    Raises:
        UnreadableRow: A format of the future, or bytes cut short.
    """
    if not packed or packed[0] != FORMAT:
        raise UnreadableRow(f"row format {packed[0] if packed else 'none'} is not known: is this worker too old?")
    try:
        _, version, generation, keep_until, context_length = _HEAD.unpack_from(packed)
        place = _HEAD.size + context_length
        count, timers = packed[place], []
        place += 1
        for _ in range(count):
            due, _, state, length = _TIMER.unpack_from(packed, place)
            place += _TIMER.size
            timers.append(OldTimer(packed[place : place + length].decode(), due, state))
            place += length
    except (struct.error, IndexError, ValueError) as error:
        raise UnreadableRow(f"row of {len(packed)} bytes cannot be read: {type(error).__name__}") from None
    if place != len(packed):
        raise UnreadableRow(f"row of {len(packed)} bytes has {place} bytes of content")
    return OldRow(version, generation, keep_until, tuple(timers))
