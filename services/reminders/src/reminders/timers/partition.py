"""The rows of one partition, and when the next of them needs something."""

import asyncio
import heapq
from collections.abc import Mapping
from typing import Any

from reminders.timers import terms
from reminders.timers.row import FORMAT, NEVER, UnreadableRow, instants, instants_of
from reminders.timers.terms import TermsTable

KEY_BYTES = 16
"""Length of a row's key. In here it is a whole number: 48 bytes of memory instead of 64."""

BUCKET = 3_600_000_000
"""The width of one entry of the index, in microseconds: an hour. By the bucket the lists of few keys cost 11 bytes a
timer more (1 M timers on slots of 5 minutes over 60 days, measured)."""

SENTINEL = b"owner"
"""The changelog key by which a new owner knows that it has read to the end."""

_FORMAT = bytes((FORMAT,))

INDEX_SLICE = 20_000
"""Rows indexed between two turns of the event loop: about 15 ms."""


class Partition:
    """Rows by key, and beside them an index of their next instants.

    Every row has one next instant: its next due timer, or, when none is left, the instant it may leave
    (`keep` after its anchor). The index holds the key under that instant's hour; when an hour comes,
    its keys move into a heap by exact instant (`near`). Entries are never removed when a row changes: one
    that no longer agrees with its row is dropped when it comes up, and when they outnumber the rows the
    index is built anew.

    Attributes:
        lock: Held by whoever writes this partition to the changelog, so that a cancellation and a firing
            of one row never overlap.
        terms: The terms of its rows.
        prepared: By key, what the owner prepared for rows that are due soon.
        position: Offset up to which the changelog is in here, or None before the first record.
        written: Offset of the last batch written, by topic.
        old: Rows of older formats, to be upgraded before `index`.

    Args:
        keep: How long a row stays after its anchor, in microseconds.
    """

    def __init__(self, keep: int) -> None:
        self.lock = asyncio.Lock()
        self.terms = TermsTable()
        self.prepared: dict[bytes, Any] = {}
        self.position: int | None = None
        self.written: dict[str, int] = {}
        self.old: dict[bytes, bytes] = {}
        self._keep = keep
        self._rows: dict[int, bytes] = {}
        self._buckets: dict[int, list[int]] = {}
        self._coming: list[int] = []
        self._near: list[tuple[int, int]] = []
        self._reached = -1
        self._entries = 0

    def __len__(self) -> int:
        return len(self._rows)

    def replay(self, key: bytes, packed: bytes | None) -> None:
        """Take one changelog record; nothing is due until `index`.

        Raises:
            UnreadableRow: A row under a key of another length.
        """
        if len(key) == terms.KEY_LENGTH and (number := terms.number_of(key)) is not None:
            self.terms.replay(number, packed)
        elif key == SENTINEL:
            return
        elif packed is None:
            self._rows.pop(_number(key), None)
            self.old.pop(key, None)
        elif packed[:1] != _FORMAT:
            self.old[key] = packed
        elif len(key) == KEY_BYTES:
            self._rows[_number(key)] = packed
        else:
            raise UnreadableRow(f"a key of {len(key)} bytes: rows have keys of {KEY_BYTES}")

    async def index(self) -> None:
        """Build the index, giving way to others between slices.

        Raises:
            UnreadableRow: A row cannot be read: better no worker than one that forgets timers.
        """
        self._buckets, self._coming, self._near, self._reached, self._entries = {}, [], [], -1, 0
        self.prepared.clear()
        buckets = self._buckets
        for number, (key, packed) in enumerate(self._rows.items()):
            next_due, anchor = instants(packed)
            bucket = (next_due if next_due != NEVER else anchor + self._keep) // BUCKET
            if bucket in buckets:
                buckets[bucket].append(key)
            else:
                buckets[bucket] = [key]
            if number % INDEX_SLICE == INDEX_SLICE - 1:
                await asyncio.sleep(0)
        self._coming = list(buckets)
        heapq.heapify(self._coming)
        self._entries = len(self._rows)

    def get(self, key: bytes) -> bytes | None:
        """Return the packed row held under `key`."""
        return self._rows.get(int.from_bytes(key))

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
        if before is not None:
            next_due, anchor = instants_of(before)
            if wake == (next_due if next_due != NEVER else anchor + self._keep):
                return
        self._enter(wake, number)

    def drop(self, key: bytes) -> None:
        """Forget a row whose tombstone is in the changelog already."""
        self._rows.pop(_number(key), None)
        self.prepared.pop(key, None)

    @property
    def next_wake(self) -> int | None:
        """Return when to look at `due` and `leaving` next: an instant in microseconds, perhaps too early, or None."""
        if self._near:
            return self._near[0][0]
        return self._coming[0] * BUCKET if self._coming else None

    @property
    def next_due(self) -> int | None:
        """The soonest pending timer's instant in microseconds, exactly, or None. Costs a look at a bucket's rows."""
        soonest = min((instants(self._rows[key])[0] for _, key in self._near if key in self._rows), default=NEVER)
        for bucket in sorted(self._buckets):
            if bucket * BUCKET > soonest:
                break
            found = (instants(packed)[0] for key in self._buckets[bucket] if (packed := self._rows.get(key)))
            soonest = min(soonest, min(found, default=NEVER))
        return None if soonest == NEVER else soonest

    def ready(self, until: int, most: int) -> list[tuple[bytes, bytes]]:
        """Return keys and rows with a timer due up to `until` that are not prepared yet, at most `most`."""
        self._reach(until)
        found = []
        for wake, number in self._near:
            packed = self._rows.get(number) if wake <= until else None
            if packed is not None and instants(packed)[0] == wake and (key := _key(number)) not in self.prepared:
                found.append((key, packed))
                if len(found) == most:
                    break
        return found

    def take(self, now: int, most: int) -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
        """Take at most `most` rows out of the index whose instant has come.

        Returns:
            Key and row of those with a timer due, and the keys of those that may leave. Whatever is not
            written afterwards is lost to the index: a failed write ends the process.
        """
        self._reach(now)
        due: dict[int, bytes] = {}
        leaving: dict[int, None] = {}
        while self._near and self._near[0][0] <= now and len(due) + len(leaving) < most:
            wake, number = heapq.heappop(self._near)
            self._entries -= 1
            packed = self._rows.get(number)
            if packed is None or self._wake(packed) != wake:
                continue
            if instants(packed)[0] != NEVER:
                due[number] = packed
            else:
                leaving[number] = None
        return [(_key(number), packed) for number, packed in due.items()], list(map(_key, leaving))

    def overdue(self, now: int) -> list[tuple[bytes, bytes]]:
        """Return all rows with a timer due at `now`, leaving them in the index."""
        self._reach(now)
        numbers = {number for wake, number in self._near if wake <= now and number in self._rows}
        rows = ((number, self._rows[number]) for number in numbers)
        return [(_key(number), packed) for number, packed in rows if instants(packed)[0] <= now]

    def _wake(self, packed: bytes) -> int:
        next_due, anchor = instants_of(packed)
        return next_due if next_due != NEVER else anchor + self._keep

    def _enter(self, wake: int, key: int) -> None:
        bucket = wake // BUCKET
        self._entries += 1
        if bucket <= self._reached:
            heapq.heappush(self._near, (wake, key))
        elif bucket in self._buckets:
            self._buckets[bucket].append(key)
        else:
            self._buckets[bucket] = [key]
            heapq.heappush(self._coming, bucket)
        if self._entries > 2 * len(self._rows) + INDEX_SLICE:
            self._sweep()

    def _reach(self, until: int) -> None:
        """Move the buckets up to `until` into the heap."""
        last = until // BUCKET
        while self._coming and self._coming[0] <= last:
            bucket = heapq.heappop(self._coming)
            keys = self._buckets.pop(bucket)
            rows = ((key, self._rows.get(key)) for key in dict.fromkeys(keys))
            found = ((self._wake(packed), key) for key, packed in rows if packed is not None)
            entries = [(wake, key) for wake, key in found if wake // BUCKET == bucket]
            self._entries -= len(keys) - len(entries)
            self._near.extend(entries)
            heapq.heapify(self._near)
        self._reached = max(self._reached, last)

    def _sweep(self) -> None:
        """Drop entries that no longer agree with their row: every move leaves one behind."""
        for bucket, keys in list(self._buckets.items()):
            kept = {key for key in keys if key in self._rows and self._wake(self._rows[key]) // BUCKET == bucket}
            self._buckets[bucket] = list(kept)
        self._near = [
            entry
            for entry in set(self._near)
            if entry[1] in self._rows and self._wake(self._rows[entry[1]]) == entry[0]
        ]
        heapq.heapify(self._near)
        self._entries = sum(map(len, self._buckets.values())) + len(self._near)


def _number(key: bytes) -> int:
    return int.from_bytes(key)


def _key(number: int) -> bytes:
    return number.to_bytes(KEY_BYTES)
