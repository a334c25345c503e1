"""One row of the timer table, packed: everything that is known of one key's timers.

Format 1, little endian, all instants in microseconds since 1970 (UTC):

| bytes | what |
|---|---|
| 1 | format, 1 |
| 4 | version of the source that this row holds |
| 4 | generation of the schedule |
| 8 | the row may leave the table after this instant |
| 1 | n, length of the context |
| n | context: the owner's own bytes |
| 1 | number of timers, then for each: |
| 8 | due |
| 8 | not_after |
| 1 | state: 0 pending, 1 fired, 2 void |
| 1 | m, length of the name |
| m | name, UTF-8 |

A move, a cancellation or a firing is one write of one row. A reader takes every format ever written.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

FORMAT = 1
MOST_TIMERS = 255
LONGEST_TEXT = 255

_HEAD = struct.Struct("<BIIqB")
_TIMER = struct.Struct("<qqBB")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class State(IntEnum):
    """What became of a timer; only PENDING ones are ever fired."""

    PENDING = 0
    FIRED = 1
    VOID = 2


@dataclass(frozen=True, slots=True)
class Timer:
    """One named instant of a row.

    Attributes:
        name: Unique in its row.
        due: When it fires, aware.
        not_after: After this instant it no longer may, aware.
        state: What became of it.
    """

    name: str
    due: datetime
    not_after: datetime
    state: State = State.PENDING


@dataclass(frozen=True, slots=True)
class Row:
    """All timers of one key.

    Attributes:
        version: Version of the source that led to this row; only a higher one replaces it.
        generation: Raised by the source when earlier timers no longer count.
        keep_until: The row stays in the table until this instant, fired or not.
        context: The owner's own bytes, at most 255.
        timers: At most 255.
    """

    version: int
    generation: int
    keep_until: datetime
    context: bytes = b""
    timers: tuple[Timer, ...] = ()

    @property
    def next_due(self) -> datetime | None:
        """The soonest pending timer's instant, or None."""
        return min((timer.due for timer in self.timers if timer.state is State.PENDING), default=None)


class UnreadableRow(ValueError):
    """Bytes in the changelog that no format explains. Never skipped: it would lose timers silently."""


def micros(instant: datetime) -> int:
    """Return an aware instant as microseconds since 1970, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """Return the aware UTC instant of `micros`."""
    return _EPOCH + timedelta(microseconds=value)


def pack(row: Row) -> bytes:
    """Return the row's bytes in the newest format.

    Raises:
        ValueError: More timers than 255, or a name or context longer than 255 bytes.
    """
    if len(row.timers) > MOST_TIMERS or len(row.context) > LONGEST_TEXT:
        raise ValueError(f"a row holds at most {MOST_TIMERS} timers and {LONGEST_TEXT} bytes of context")
    parts = [_HEAD.pack(FORMAT, row.version, row.generation, micros(row.keep_until), len(row.context)), row.context]
    parts.append(bytes((len(row.timers),)))
    for timer in row.timers:
        name = timer.name.encode()
        if len(name) > LONGEST_TEXT:
            raise ValueError(f"a timer's name has at most {LONGEST_TEXT} bytes")
        parts.append(_TIMER.pack(micros(timer.due), micros(timer.not_after), timer.state, len(name)))
        parts.append(name)
    return b"".join(parts)


def unpack(packed: bytes) -> Row:
    """Return the row in `packed`.

    Raises:
        UnreadableRow: A format of the future, or bytes cut short.
    """
    if not packed or packed[0] != FORMAT:
        raise UnreadableRow(f"row format {packed[0] if packed else 'none'} is not known: is this worker too old?")
    try:
        _, version, generation, keep_until, context_length = _HEAD.unpack_from(packed)
        place = _HEAD.size + context_length
        context, count = packed[_HEAD.size : place], packed[place]
        timers = []
        place += 1
        for _ in range(count):
            due, not_after, state, length = _TIMER.unpack_from(packed, place)
            place += _TIMER.size
            name = packed[place : place + length].decode()
            place += length
            timers.append(Timer(name, instant(due), instant(not_after), State(state)))
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise UnreadableRow(f"row of {len(packed)} bytes cannot be read: {type(error).__name__}") from None
    if place != len(packed):
        raise UnreadableRow(f"row of {len(packed)} bytes has {place} bytes of content")
    return Row(version, generation, instant(keep_until), context, tuple(timers))
