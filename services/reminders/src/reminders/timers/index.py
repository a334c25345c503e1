"""Keys by the instants at which they need something: by the hour, and exactly in the hours that have come."""

import asyncio
import heapq
from collections.abc import Callable, Iterator

HOUR = 3_600_000_000
"""The width of a coarse place, in microseconds. By it the lists of few keys cost 11 bytes a timer more (1 M timers on
slots of 5 minutes over 60 days, measured)."""

MOVED_A_TURN = 5_000
"""Entries moved from their hour to their instants between two turns of the event loop: about 5 ms."""

SLACK = 20_000
"""So many entries more than two for each row may be there before the index is swept."""

SWEPT_A_STEP = 8
"""Entries looked at by each new one while a sweep is on: it ends before there are two and a half for each row."""


class Index:
    """Entries of keys under the hours of their instants, and under the instants themselves once the hour has come.

    An entry is never removed when its key moves: one that no longer agrees with its key is dropped when it comes up,
    or swept, a few with each new entry, when there are too many. The same entry may be there twice.

    Args:
        wake: Returns a key's present instant in microseconds, or None if there is no such key.
    """

    def __init__(self, wake: Callable[[int], int | None]) -> None:
        self._wake = wake
        self._hours: dict[int, list[int]] = {}
        self._coming: list[int] = []
        self._near: dict[int, list[int]] = {}
        self._instants: list[int] = []
        self._reached = -1
        self._entries = 0
        self._sweeping: Iterator[None] | None = None

    def __len__(self) -> int:
        return self._entries

    def enter(self, wake: int, key: int) -> None:
        """Add an entry."""
        self._entries += 1
        hour = wake // HOUR
        if hour <= self._reached:
            _add(self._near, self._instants, wake, key)
        else:
            _add(self._hours, self._coming, hour, key)

    def tidy(self, keys: int) -> None:
        """Look at a few entries if there are far more of them than keys, and go on with each call."""
        if self._sweeping is None and self._entries > 2 * keys + SLACK:
            self._sweeping = self._sweep()
        if self._sweeping is not None and next(self._sweeping, self) is self:
            self._sweeping = None

    @property
    def next_wake(self) -> int | None:
        """When to look next: an instant in microseconds, perhaps too early, or None."""
        if self._instants:
            return self._instants[0]
        return self._coming[0] * HOUR if self._coming else None

    async def reach(self, until: int) -> None:
        """Move the hours up to `until` to their instants, giving way to others between slices."""
        last, moved = until // HOUR, 0
        while self._coming and self._coming[0] <= last:
            hour = self._coming[0]
            keys = self._hours[hour]
            some = keys[moved - MOVED_A_TURN :]
            del keys[moved - MOVED_A_TURN :]
            self._entries -= len(some)
            moved += len(some)
            for key in some:
                wake = self._wake(key)
                if wake is not None and wake // HOUR == hour:
                    self._entries += 1
                    _add(self._near, self._instants, wake, key)
            if not keys:
                heapq.heappop(self._coming)
                del self._hours[hour]
                self._reached = max(self._reached, hour)
            if moved == MOVED_A_TURN:
                moved = 0
                await asyncio.sleep(0)
        self._reached = max(self._reached, last)

    def take(self, now: int, most: int) -> list[int]:
        """Take at most `most` entries out whose instant has come, and return the keys of those that agree."""
        found: dict[int, None] = {}
        looked = 0
        while self._instants and self._instants[0] <= now and looked < most:
            instant = self._instants[0]
            keys = self._near[instant]
            while keys and looked < most:
                key = keys.pop()
                looked += 1
                if self._wake(key) == instant:
                    found[key] = None
            if not keys:
                heapq.heappop(self._instants)
                del self._near[instant]
        self._entries -= looked
        return list(found)

    def soon(self, until: int) -> Iterator[tuple[int, int]]:
        """Yield instants up to `until` of the hours reached, and their keys; entries may come and go meanwhile."""
        for instant in sorted(instant for instant in self._near if instant <= until):
            seen: set[int] = set()
            for key in tuple(self._near.get(instant, ())):
                if key not in seen:
                    seen.add(key)
                    yield instant, key

    def by_time(self) -> Iterator[tuple[int, int]]:
        """Yield all entries, those of a sooner place first: the earliest instant possible there, and the key."""
        for places, width in ((self._near, 1), (self._hours, HOUR)):
            for place in sorted(places):
                for key in tuple(places.get(place, ())):
                    yield place * width, key

    def _sweep(self) -> Iterator[None]:
        """Drop entries that are there twice or do not agree with their key, a few at each step."""
        for places, width in ((self._hours, HOUR), (self._near, 1)):
            for place in list(places):
                yield from self._sweep_one(places.get(place, []), place, width)

    def _sweep_one(self, keys: list[int], place: int, width: int) -> Iterator[None]:
        """Move what stays to the front of its list; others add to its end, or take from it, meanwhile."""
        seen: set[int] = set()
        read, kept, end = 0, 0, len(keys)
        while read < min(end, len(keys)):
            some = keys[read : min(end, read + SWEPT_A_STEP)]
            read += len(some)
            for key in some:
                wake = None if key in seen else self._wake(key)
                if wake is not None and wake // width == place:
                    seen.add(key)
                    keys[kept] = key
                    kept += 1
            yield
        before = len(keys)
        del keys[kept:read]
        self._entries -= before - len(keys)


def _add(places: dict[int, list[int]], heap: list[int], place: int, key: int) -> None:
    keys = places.get(place)
    if keys is None:
        places[place] = [key]
        heapq.heappush(heap, place)
    else:
        keys.append(key)
