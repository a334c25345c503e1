"""The timers of this worker as the reconciler sees them: `reconciler.handle.Timers` over the engine."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from uuid import UUID

import msgspec

from chassis.kafka.partitioner import partition_of
from reminders.planning.domain.corrections import MEND
from reminders.reconciler.domain import TimersState
from reminders.timers.engine import Engine
from reminders.timers.ports import Headers, Source
from reminders.timers.row import NEVER
from schemas.appointments import APPOINTMENT_CHANGED
from schemas.instants import instant

LOOKED_AT = 2_000
"""Rows between two turns of the event loop: about 5 ms."""


@dataclass(slots=True)
class Offered:
    """A record that no topic holds."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class _Named(msgspec.Struct):
    appointment_id: str


_named = msgspec.json.Decoder(_Named).decode


class EngineTimers:
    """Reads and mends the rows of the live partitions."""

    def __init__(self, engine: Engine, topic: str, partitions: int, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._topic = topic
        self._partitions = partitions
        self._now = now

    def partitions(self) -> Sequence[int]:
        return sorted(self._engine.live)

    def owns(self, appointment_id: UUID) -> bool:
        return self._place(str(appointment_id)) in self._engine.live

    def held(self, appointment_id: UUID) -> TimersState | None:
        row = self._engine.get(self._place(str(appointment_id)), appointment_id.bytes)
        if row is None:
            return None
        aside = self._engine.is_aside(self._place(str(appointment_id)), appointment_id.bytes)
        try:
            return TimersState(row.version, row.generation, instant(row.anchor), row.next_due != NEVER, aside)
        except OverflowError:  # it leads up to no instant that there is
            return TimersState(row.version, row.generation, None, row.next_due != NEVER, True)

    def waiting(self) -> Iterator[Sequence[UUID]]:
        """See `reconciler.handle.Timers`: some thousand at a time, and of each only those that wait when looked at."""
        for number in self.partitions():
            for keys in batched(self._engine.keys(number), LOOKED_AT):
                rows = ((key, self._engine.get(number, key)) for key in keys)
                yield [UUID(bytes=key) for key, row in rows if row is not None and row.next_due != NEVER]

    async def behind(self) -> int:
        lag, taking = await self._engine.lag(), self._engine.taking
        return sum(records for number, records in lag.items() if number in taking)

    def begun_anew(self) -> Mapping[int, int]:
        """See `reconciler.handle.Timers`."""
        return self._engine.begun_anew()

    async def note_planned(self, begun: Mapping[int, int]) -> None:
        """See `reconciler.handle.Timers`."""
        await asyncio.shield(self._engine.note_planned(begun))  # as in `_offer`

    async def offer(self, snapshots: Sequence[bytes]) -> Set[UUID]:
        return await self._offer([(_named(snapshot).appointment_id, snapshot) for snapshot in snapshots])

    async def forget(self, appointment_ids: Sequence[UUID]) -> Set[UUID]:
        return await self._offer([(str(appointment_id), None) for appointment_id in appointment_ids])

    async def _offer(self, records: Sequence[tuple[str, bytes | None]]) -> Set[UUID]:
        headers = (("ce_type", APPOINTMENT_CHANGED.encode()), (MEND, self._now().isoformat().encode()))
        found: dict[int, list[Source]] = defaultdict(list)
        ids: dict[int, list[UUID]] = defaultdict(list)
        for key, value in records:
            number = self._place(key)
            ids[number].append(UUID(key))
            found[number].append(Offered(self._topic, number, -1, key.encode(), value, headers))
        untaken: set[UUID] = set()
        for number, offered in sorted(found.items()):
            # a stop must not cut a transaction in two: the partition's other writers would find it open
            taken = await asyncio.shield(self._engine.offer(number, offered))
            untaken.update(ids[number][taken:])
        return untaken

    def _place(self, key: str) -> int:
        return partition_of(key.encode(), self._partitions)
