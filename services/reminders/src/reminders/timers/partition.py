"""The rows of one partition, and when the next of them needs something."""

import asyncio
from collections.abc import Iterator, Mapping
from itertools import batched
from typing import Any

from chassis.kafka.halt import Halt
from reminders.timers import terms
from reminders.timers.index import Index
from reminders.timers.row import FORMAT, NEVER, UnreadableRow, instants, instants_of, placed
from reminders.timers.terms import TermsTable

KEY_BYTES = 16
"""Length of a row's key. In here it is a whole number: 48 bytes of memory instead of 64."""

SENTINEL = b"owner"
"""The changelog key by which a new owner knows that it has read to the end."""

ANEW = b"anew"
"""The changelog key of a new beginning: what was written before it counts for nothing. A release that does not know it
ends on it."""

PLANNED = terms.key_of(0)
"""The changelog key that says, behind a new beginning, that what is ahead was planned since. The terms of rows are
numbered from 1, so a release that does not know it takes it for terms that no row has."""

_FORMAT = bytes((FORMAT,))

ROWS_A_TURN = 5_000
"""Rows indexed or looked at between two turns of the event loop: about 5 ms."""


class Partition:
    """Rows by key, and beside them an index of their next instants.

    Every row has one next instant: its next due timer, or, when none is left, the instant it may leave
    (`keep` after its anchor). The index holds the key under that instant.

    Attributes:
        lock: Held by whoever writes this partition to the changelog, so that a cancellation and a firing
            of one row never overlap.
        position: Offset up to which the changelog is in here, or None before the first record.
        first: Offset from which the changelog counts: its first one, or that of the last new beginning.
        begun_anew: Whether there was a new beginning and somebody has yet to plan what is ahead.
        halt: Why its rows cannot be relied on, and where in the changelog; None if they can.
        aside: By key, why nothing can be said of a row whose time has come; it fires nothing until it is written anew.

    Args:
        keep: How long a row stays after its anchor, in microseconds.
    """

    def __init__(self, keep: int) -> None:
        self.lock = asyncio.Lock()
        self.terms = TermsTable()
        self.prepared: dict[bytes, Any] = {}
        self.position: int | None = None
        self.written: dict[str, int] = {}
        self.first = 0
        self.begun_anew = False
        self.halt: Halt | None = None
        self.aside: dict[bytes, str] = {}
        self._keep = keep
        self._rows: dict[int, bytes] = {}
        self._unknown: dict[bytes, bytes] = {}  # the format byte of rows of other formats, by key
        self._index = Index(self._wake_of)
        self._indexed = True

    def __len__(self) -> int:
        return len(self._rows)

    def replay(self, key: bytes, packed: bytes | None) -> None:
        """Take one changelog record; nothing is due until `index`."""
        if key == PLANNED:
            self.begun_anew = False
        elif len(key) == terms.KEY_LENGTH and (number := terms.number_of(key)) is not None:
            self.terms.replay(number, packed)
        elif key == SENTINEL:
            return
        elif packed is None:
            self._rows.pop(_number(key), None)
            self._unknown.pop(key, None)
        elif packed[:1] != _FORMAT:
            self._unknown[key] = packed[:1]
        elif len(key) == KEY_BYTES:
            number = _number(key)
            if self._rows.get(number) != packed:
                self._rows[number] = packed
                self._indexed = False
        else:
            raise UnreadableRow(f"a key of {len(key)} bytes: rows have keys of {KEY_BYTES}")

    def begin_anew(self, offset: int) -> None:
        """Forget all rows, and what was wrong with them, by the new beginning at this offset of the changelog."""
        self._rows.clear()
        self._unknown.clear()
        self.aside.clear()
        self.terms = TermsTable()
        self.halt = None
        self.first, self.begun_anew = offset, True
        self._indexed = False

    def stand_still(self, offset: int, why: str, skip_to: int | None) -> None:
        """Note the last reason why its rows cannot be relied on: who lets it begin anew must know of all.

        Args:
            skip_to: The offset after what was read and is bad; None if Kafka does not give it, which may be good.
        """
        self.halt = Halt(offset, why, skip_to)

    async def index(self) -> None:
        """Build the index if a row was replayed since it was built, giving way to others between slices.

        Raises:
            UnreadableRow: A row cannot be read: better no timers of this partition than some forgotten.
        """
        for unknown in self._unknown.values():
            raise UnreadableRow(f"row format {unknown[0] if unknown else 'none'} is not known: is this worker too old?")
        if self._indexed:
            return
        self.prepared.clear()
        self._index = Index(self._wake_of)
        for number, (key, packed) in enumerate(self._rows.items(), 1):
            next_due, anchor, number_of_terms = placed(packed)
            if number_of_terms not in self.terms:
                raise UnreadableRow(f"a row of terms {number_of_terms}, which are not there")
            self._index.enter(next_due if next_due != NEVER else anchor + self._keep, key)
            if number % ROWS_A_TURN == 0:
                await asyncio.sleep(0)
        self._indexed = True

    def get(self, key: bytes) -> bytes | None:
        """Return the packed row held under `key`."""
        return self._rows.get(int.from_bytes(key))

    def all_keys(self) -> Iterator[bytes]:
        """Return the keys held now; rows may come and go while they are looked at."""
        return map(_key, list(self._rows))

    def packed(self) -> Mapping[bytes, bytes]:
        """Return all rows as they are in the changelog."""
        return {_key(number): packed for number, packed in self._rows.items()}

    def put(self, key: bytes, packed: bytes) -> None:
        """Keep a row that is in the changelog already."""
        number = int.from_bytes(key)
        before = self._rows.get(number)
        self._rows[number] = packed
        if self.prepared:
            self.prepared.pop(key, None)
        next_due, anchor = instants_of(packed)
        wake = next_due if next_due != NEVER else anchor + self._keep
        if self.aside.pop(key, None) is None and before is not None:
            next_due, anchor = instants_of(before)
            if wake == (next_due if next_due != NEVER else anchor + self._keep):
                return
        self._index.enter(wake, number)
        self._index.tidy(len(self._rows))

    def drop(self, key: bytes) -> None:
        """Forget a row whose tombstone is in the changelog already."""
        self._rows.pop(_number(key), None)
        self.prepared.pop(key, None)
        self.aside.pop(key, None)

    @property
    def next_wake(self) -> int | None:
        """Return when to look at `due_by` and `take` next: an instant in microseconds, perhaps too early, or None."""
        return self._index.next_wake

    async def next_due(self) -> int | None:
        """Return the soonest pending timer's instant in microseconds, exactly, or None."""
        soonest = NEVER
        for looked, (earliest, number) in enumerate(self._index.by_time(), 1):
            if earliest > soonest:
                break
            if (packed := self._rows.get(number)) is not None:
                soonest = min(soonest, instants_of(packed)[0])
            if looked % ROWS_A_TURN == 0:
                await asyncio.sleep(0)
        return None if soonest == NEVER else soonest

    async def reach(self, until: int) -> None:
        """Make ready for `due_by` and `take` up to `until`, giving way to others between slices."""
        await self._index.reach(until)

    def due_by(self, until: int, looked_at: int) -> Iterator[list[tuple[bytes, bytes]]]:
        """Yield keys and rows with a timer due up to `until`, which was reached, leaving them in the index.

        Args:
            until: In microseconds.
            looked_at: Entries looked at for each list, which may be empty; others may have a turn between two.
        """
        for some in batched(self._index.soon(until), looked_at):
            rows = ((instant, number, self._rows.get(number)) for instant, number in some)
            yield [(_key(number), packed) for instant, number, packed in rows
                   if packed is not None and instants(packed)[0] == instant]  # fmt: skip

    def take(self, now: int, most: int) -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
        """Take out of the index rows whose instant, which was reached, has come, looking at `most` entries.

        Returns:
            Key and row of those with a timer due, and the keys of those that may leave. Whatever is not
            written afterwards is lost to the index: a failed write ends the process.
        """
        due: list[tuple[bytes, bytes]] = []
        leaving: list[bytes] = []
        for number in self._index.take(now, most):
            packed = self._rows[number]
            if instants(packed)[0] != NEVER:
                due.append((_key(number), packed))
            else:
                leaving.append(_key(number))
        return due, leaving

    def _wake_of(self, number: int) -> int | None:
        packed = self._rows.get(number)
        if packed is None:
            return None
        next_due, anchor = instants_of(packed)
        return next_due if next_due != NEVER else anchor + self._keep


def _number(key: bytes) -> int:
    return int.from_bytes(key)


def _key(number: int) -> bytes:
    return number.to_bytes(KEY_BYTES)
