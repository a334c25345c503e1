"""From due instants to events: fires the timers of live partitions, then marks them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime

from reminders.timers.partition import Partition
from reminders.timers.ports import Message, Owner
from reminders.timers.row import Row
from reminders.timers.writing import Writer

POLL_S = 0.05
"""How often the clock is looked at: it may be stepped by a file. A look costs one comparison a partition."""

BATCH = 1000
"""Rows fired between two waits for the broker, so that a burst does not shut out the intake."""

CLEAN_S = 5.0
"""How often rows that may leave are looked for."""


class Emitter:
    """Fires what is due.

    Events are acknowledged by the broker before the row is marked: a crash between the two repeats
    them, with the same ids. A partition's lock is held over both, so no cancellation comes between.

    Args:
        owner: Knows what a fired timer says.
        writer: Makes it durable.
        partitions: Returns the partitions that are live now.
        now: Domain time.
        fired: Called with what became of the timers, the due instants of their rows, and the time.
    """

    def __init__(
        self,
        owner: Owner,
        writer: Writer,
        partitions: Callable[[], Mapping[int, Partition]],
        now: Callable[[], datetime],
        fired: Callable[[Counter[str], list[datetime], datetime], None],
    ) -> None:
        self._owner = owner
        self._writer = writer
        self._partitions = partitions
        self._now = now
        self._fired = fired

    async def run(self) -> None:
        """Fire for ever. Whatever goes wrong ends it, and must end the process."""
        loop = asyncio.get_running_loop()
        clean_at = loop.time()
        while True:
            await asyncio.sleep(POLL_S)
            now = self._now()
            due = {n: p for n, p in self._partitions().items() if p.next_due is not None and p.next_due <= now}
            await self._each(due, self._fire)
            if loop.time() >= clean_at:
                await self._each(self._partitions(), self._clean)
                clean_at = loop.time() + CLEAN_S

    async def _each(
        self, parts: Mapping[int, Partition], work: Callable[[int, Partition], Coroutine[None, None, None]]
    ) -> None:
        if parts:
            async with asyncio.TaskGroup() as group:
                for number, part in parts.items():
                    group.create_task(work(number, part))

    async def _fire(self, number: int, part: Partition) -> None:
        while (due := part.next_due) is not None and due <= self._now():
            async with part.lock:
                if self._partitions().get(number) is not part:
                    return  # revoked while waiting for the lock
                now = self._now()
                messages: list[Message] = []
                rows: dict[bytes, Row | None] = {}
                instants: list[datetime] = []
                counts: Counter[str] = Counter()
                for key, row in part.due(now, BATCH):
                    change = self._owner.on_due(key, row, now)
                    messages.extend(change.messages)
                    counts.update(change.counts)
                    rows[key] = after = change.row or row
                    instants.append(row.next_due or now)
                    if after.next_due is not None and after.next_due <= now:
                        raise RuntimeError("a row fired and still has timers due: it would fire for ever")
                await self._writer.write(number, messages, rows)
                for key, changed in rows.items():
                    if changed is not None:
                        part.put(key, changed)
                self._fired(counts, instants, now)

    async def _clean(self, number: int, part: Partition) -> None:
        async with part.lock:
            keys = part.leaving(self._now(), BATCH)
            if keys and self._partitions().get(number) is part:
                await self._writer.write(number, (), dict.fromkeys(keys))
                for key in keys:
                    part.drop(key)
