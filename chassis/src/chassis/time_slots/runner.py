"""Jobs of the wall clock: each time slot of each scope takes effect once (D20).

A scope is whatever has a wall of its own. The ledger holds a row for each (job, scope, slot):

```
(no row) ──claim──▶ claimed ──effect and done, one transaction──▶ done
    │                  └─ lease ran out: whoever comes next claims it again
    └─ too late ─────────────────────────────────────────────────▶ missed
```

What a job does is written in the transaction that marks its slot done, and only while the claim still holds, so
two instances, a kill half-way, a process that was frozen past its lease or a clock put back give a slot one effect.
The latest slot does the work of those before it that were due while nobody ran.

The table `slot_ledger` is made by a migration of the service whose jobs these are; see `TABLE`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import uuid4

from chassis.postgres.after_commit import said_after_commit
from chassis.postgres.database import Connection, Pool
from chassis.process.clock import Clock
from chassis.process.errors import Unavailable
from chassis.process.health import Health
from chassis.process.logs import get_logger
from chassis.time_slots.metrics import SlotMetrics
from chassis.time_slots.statements import CLAIM, HOLD, LAST_DONE, MISS, PRUNE, SETTLE, UNSETTLED
from chassis.time_slots.timetable import Slot, Timetable

LEASE = timedelta(seconds=60)
"""Longer than any transaction may take (10 s, the roles' transaction_timeout); machine time, the database's."""
AT_ONCE = 20
"""Slots claimed together: few, so that two instances share the work."""
LOOK_EVERY_S = 0.05
"""Between looks at the domain clock, which may be stepped; costs no statement, 20 µs of CPU a look."""
ROUND_EVERY_S = 10.0
"""Between rounds when no slot is known to be due: for new scopes, and for leases that ran out."""
KEPT = timedelta(days=400)
"""How long settled slots stay, to be asked about."""


class Scope(NamedTuple):
    """Something with a wall: its name, its IANA zone, and since when it is known (older slots are none of its)."""

    name: str
    zone: str
    since: datetime


class Performed(NamedTuple):
    """What one step of a slot did: how many effects, and whether the slot needs another step."""

    effects: int
    more: bool = False


class Job(Protocol):
    """What is done at each slot of each scope."""

    @property
    def name(self) -> str:
        """Return its name in the ledger, in logs and metrics."""

    @property
    def timetable(self) -> Timetable:
        """Return when its slots are."""

    async def scopes(self, connection: Connection) -> Sequence[Scope]:
        """Return every scope that there is."""

    async def perform(self, connection: Connection, scope: Scope, slot: Slot, now: datetime) -> Performed:
        """Do one step of the slot, in the transaction that notes it; safe to call again after a rollback."""

    async def next_wake(self, connection: Connection, scopes: Sequence[Scope], now: datetime) -> datetime | None:
        """Return when a slot next will have something to do, if that is known."""


@dataclass(frozen=True, slots=True)
class Due:
    """A slot of a scope that is not settled."""

    scope: Scope
    slot: Slot


class TakenOver(Exception):
    """The slot is no longer this process's: its lease ran out and another has it, or its time is over."""


class Runner:
    """Runs one job in this process; any number of processes may.

    Args:
        pool: The service's, with the table `slot_ledger`.
        lease: How long a claim is valid without a step.
    """

    def __init__(self, pool: Pool, clock: Clock, job: Job, metrics: SlotMetrics, lease: timedelta = LEASE) -> None:
        self.job = job
        self._pool = pool
        self._clock = clock
        self._metrics = metrics
        self._lease = lease
        self._owner = uuid4()
        self._wanted = asyncio.Event()
        self._log = get_logger()

    async def run(self, stop: asyncio.Event) -> None:
        """Settle slots as they come due, until `stop` is set."""
        while not stop.is_set():
            self._wanted.clear()
            epoch, following = self._clock.epoch, None
            try:
                await self.round()
                following = await self.following()
            except Unavailable as error:
                self._log.warning("slots.unavailable", job=self.job.name, code=error.code)
            await self._wait(stop, epoch, following)

    async def _wait(self, stop: asyncio.Event, epoch: int, following: datetime | None) -> None:
        waited = 0.0
        while waited < ROUND_EVERY_S and not stop.is_set() and not self._wanted.is_set():
            if self._clock.epoch != epoch or (following is not None and self._has_come(following)):
                return
            await _first(LOOK_EVERY_S, stop, self._wanted)
            waited += LOOK_EVERY_S

    def _has_come(self, instant: datetime) -> bool:
        try:
            return self._clock.now() >= instant
        except Unavailable:  # nobody may say now: the next round asks again
            return False

    async def round(self) -> int:
        """Settle every slot that is due and that nobody else has; return how many this process settled."""
        settled = 0
        now = self._clock.now()
        due = await self._due(now)
        settled += await self._miss([entry for entry in due if entry.slot.is_too_late(now)], now)
        open_ = [entry for entry in due if not entry.slot.is_too_late(now)]
        for first in range(0, len(open_), AT_ONCE):
            for entry in await self._claim(open_[first : first + AT_ONCE]):
                settled += await self._settle(entry)
        return settled

    async def _due(self, now: datetime) -> list[Due]:
        scopes = await self._scopes()
        latest = {zone: self.job.timetable.latest(zone, now) for zone in {scope.zone for scope in scopes}}
        asked = {s.name: Due(s, latest[s.zone]) for s in scopes if s.since <= latest[s.zone].due}
        if not asked:
            return []
        rows = await self._pool.fetch(UNSETTLED, self.job.name, *_columns(list(asked.values())))
        return [asked[row["scope"]] for row in rows]

    async def _claim(self, due: Sequence[Due]) -> list[Due]:
        rows = await self._pool.fetch(CLAIM, self.job.name, *_columns(due), self._owner, self._lease)
        got = {row["scope"] for row in rows}
        return [entry for entry in due if entry.scope.name in got]

    async def _settle(self, due: Due) -> bool:
        """Do the whole slot; return whether this process did. What fails is tried again when its lease runs out."""
        effects = 0
        try:
            while True:
                performed = await self._step(due)
                effects += performed.effects
                if not performed.more:
                    break
        except TakenOver:
            return False
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001  # the outermost loop of a slot: one scope's fault stops no other (R40)
            self._log.exception("slot.failed", job=self.job.name, scope=due.scope.name, slot=due.slot.name)
            self._metrics.settled(self.job.name, "failed")
            return False
        tell = self._log.info if effects else self._log.debug  # most slots find nothing to do
        tell("slot.done", job=self.job.name, scope=due.scope.name, slot=due.slot.name, effects=effects)
        self._metrics.settled(self.job.name, "done", effects, due.slot.due)
        return True

    async def _step(self, due: Due) -> Performed:
        key = (self.job.name, due.scope.name, due.slot.name)
        with said_after_commit():
            async with self._pool.transaction() as connection:
                now = self._clock.now()
                if due.slot.is_too_late(now):  # this process stood still since it claimed
                    raise TakenOver
                if not await connection.fetchval(HOLD, *key, self._owner, self._lease):
                    raise TakenOver
                performed = await self.job.perform(connection, due.scope, due.slot, now)
                await connection.execute(SETTLE, *key, self._owner, performed.effects, not performed.more, now)
                if not performed.more:
                    await connection.execute(PRUNE, self.job.name, due.scope.name, due.slot.due - KEPT)
        return performed

    async def _miss(self, late: Sequence[Due], now: datetime) -> int:
        if not late:
            return 0
        rows = await self._pool.fetch(MISS, self.job.name, *_columns(late), now)
        for row in rows:
            self._log.warning("slot.missed", job=self.job.name, scope=row["scope"], slot=row["slot"])
            self._metrics.settled(self.job.name, "missed")
        return len(rows)

    async def idle(self) -> bool:
        """Whether every slot that is due is settled, by whomever; if not, a round begins."""
        if not await self._due(self._clock.now()):
            return True
        self._wanted.set()
        return False

    async def next_wake(self) -> datetime | None:
        """Return when, in domain time, a slot next will have something to do."""
        now, scopes = self._clock.now(), await self._scopes()
        async with self._pool.acquire() as connection:
            return await self.job.next_wake(connection, scopes, now)

    async def following(self) -> datetime | None:
        """Return when the next slot of any scope is due."""
        zones = {scope.zone for scope in await self._scopes()}
        now = self._clock.now()
        return min((self.job.timetable.following(zone, now).due for zone in zones), default=None)

    async def last_done(self) -> datetime | None:
        """Return the instant of the last slot done, of any scope."""
        found: datetime | None = await self._pool.fetchval(LAST_DONE, self.job.name)
        return found

    async def _scopes(self) -> Sequence[Scope]:
        async with self._pool.acquire() as connection:
            return await self.job.scopes(connection)

    def watch(self, health: Health, handed_on: Callable[[], Awaitable[bool]]) -> None:
        """Tell the process's health when this job next has something to do, and its last and next slot.

        Args:
            health: The process's; its consumers, whose work leads to slots, were added before.
            handed_on: Whether what the slots wrote has left: the relay's `idle`, asked after the slots are done.
        """

        async def last() -> str | None:
            return _written(await self.last_done())

        async def following() -> str | None:
            return _written(await self.following())

        health.add_idle(f"slots {self.job.name}", self.idle)
        health.add_idle(f"events of slots {self.job.name}", handed_on)
        health.add_next_wake(self.next_wake)
        name = self.job.name.replace("-", "_")
        health.add_status(f"{name}_last_slot", last)
        health.add_status(f"{name}_next_slot", following)


def _written(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _columns(due: Sequence[Due]) -> tuple[list[str], list[str], list[datetime]]:
    return [d.scope.name for d in due], [d.slot.name for d in due], [d.slot.due for d in due]


async def _first(seconds: float, *events: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for one in waiting:
        one.cancel()
