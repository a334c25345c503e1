"""The rows of one partition, and when the next of them is due."""

import asyncio
import heapq
from collections.abc import Mapping
from datetime import datetime

from reminders.timers.row import Row, instant, micros, pack, unpack


class Partition:
    """Rows by key with two heaps beside them: the next due instants, and when rows may leave.

    Heap entries are never removed when a row changes; one that no longer agrees with its row is
    dropped when it comes up. Until `index` is called nothing is due (during recovery).

    Attributes:
        lock: Held by whoever writes this partition's rows to the changelog, so that a cancellation
            and a firing of one row never overlap.
    """

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self._rows: dict[bytes, bytes] = {}
        self._due: list[tuple[int, bytes]] = []
        self._leaving: list[tuple[int, bytes]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def replay(self, key: bytes, packed: bytes | None) -> None:
        """Take one changelog record; unread until `index`."""
        if packed is None:
            self._rows.pop(key, None)
        else:
            self._rows[key] = packed

    def index(self) -> None:
        """Read all rows and build the heaps.

        Raises:
            UnreadableRow: A row cannot be read: better no worker than one that forgets timers.
        """
        self._due, self._leaving = [], []
        for key, packed in self._rows.items():
            row = unpack(packed)
            self._leaving.append((micros(row.keep_until), key))
            if (due := row.next_due) is not None:
                self._due.append((micros(due), key))
        heapq.heapify(self._due)
        heapq.heapify(self._leaving)

    def get(self, key: bytes) -> Row | None:
        """Return the row held under `key`."""
        packed = self._rows.get(key)
        return None if packed is None else unpack(packed)

    def packed(self) -> Mapping[bytes, bytes]:
        """Return all rows as they are in the changelog."""
        return self._rows

    def put(self, key: bytes, row: Row) -> None:
        """Keep a row that is in the changelog already."""
        self._rows[key] = pack(row)
        heapq.heappush(self._leaving, (micros(row.keep_until), key))
        if (due := row.next_due) is not None:
            heapq.heappush(self._due, (micros(due), key))

    def drop(self, key: bytes) -> None:
        """Forget a row whose tombstone is in the changelog already."""
        self._rows.pop(key, None)

    @property
    def next_due(self) -> datetime | None:
        """When the next timer fires, or None."""
        while self._due:
            due, key = self._due[0]
            row = self.get(key)
            if row is not None and row.next_due is not None and micros(row.next_due) == due:
                return instant(due)
            heapq.heappop(self._due)
        return None

    def due(self, now: datetime, most: int) -> list[tuple[bytes, Row]]:
        """Return at most `most` rows with a pending timer due at `now`, each once.

        They stay in the heap until `put` changes them: what is not written is returned again.
        """
        limit = micros(now)
        found: dict[bytes, tuple[int, Row]] = {}
        while self._due and self._due[0][0] <= limit and len(found) < most:
            due, key = heapq.heappop(self._due)
            row = self.get(key)
            if row is not None and row.next_due is not None and micros(row.next_due) == due:
                found[key] = (due, row)
        for key, (due, _) in found.items():
            heapq.heappush(self._due, (due, key))
        return [(key, row) for key, (_, row) in found.items()]

    def leaving(self, now: datetime, most: int) -> list[bytes]:
        """Return at most `most` keys whose rows may leave the table at `now`."""
        limit = micros(now)
        keys: list[bytes] = []
        while self._leaving and self._leaving[0][0] <= limit and len(keys) < most:
            kept_until, key = heapq.heappop(self._leaving)
            row = self.get(key)
            if row is not None and micros(row.keep_until) == kept_until and row.next_due is None:
                keys.append(key)
        return keys
