"""From due instants to events: fires the timers of live partitions, by the clock."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, timedelta

from chassis.process.logs import get_logger
from reminders.timers.partition import Partition
from reminders.timers.ports import Fired, Owner
from reminders.timers.row import NEVER, instants
from reminders.timers.transaction import Transactions
from schemas.instants import micros

BATCH = 5000
"""Rows fired in one transaction: all that one partition of twelve has of 50,000 due in a second."""

AHEAD = timedelta(seconds=10)
"""What falls due within it is prepared, so that only sending is left when its time comes."""

PREPARE_S = 1.0
"""How often it is looked for."""

DECIDED_A_TURN = 500
"""Rows taken and decided between two turns of the event loop: about 6 ms."""

PREPARED_A_TURN = 200
"""Rows prepared between two turns of the event loop: about 3 ms."""

OVERDUE = timedelta(seconds=60)
"""Later than this is no lateness of ours but an outage: what is to be done is told before it is done (B3)."""


class Emitter:
    """Fires what is due.

    A partition's lock is held over event and mark, which are one transaction: no cancellation comes
    between, and a crash leaves both or none.

    Args:
        look_every_s: How often the clock is looked at, at least; shorter where it may be stepped.
        fired: Called with what became of the timers, the due instants of their rows in microseconds, and the time.
        lacking: Called when rows were set aside (`Partition.aside`): what they are to remind of is to be planned anew.
    """

    def __init__(
        self,
        owner: Owner,
        transactions: Transactions,
        partitions: Callable[[], Mapping[int, Partition]],
        now: Callable[[], datetime],
        look_every_s: float,
        fired: Callable[[Counter[str], list[int], datetime], None],
        expected: Callable[[Counter[str]], None],
        lacking: Callable[[], None] = lambda: None,
    ) -> None:
        self._owner = owner
        self._transactions = transactions
        self._partitions = partitions
        self._now = now
        self._look_every_s = look_every_s
        self._fired = fired
        self._expected = expected
        self._lacking = lacking
        self._woken = asyncio.Event()
        self._deciding = asyncio.Lock()

    def wake(self) -> None:
        """Look again: a row changed, or partitions became live."""
        self._woken.set()

    async def run(self) -> None:
        """Fire for ever. Whatever goes wrong ends it, and must end the process."""
        loop = asyncio.get_running_loop()
        preparing, prepare_at = loop.create_task(self._prepare()), loop.time()
        while True:
            now = micros(self._now())
            await self._tell_catch_up(now)
            due = {n: p for n, p in self._partitions().items() if p.next_wake is not None and p.next_wake <= now}
            await self._each(due, self._fire)
            if preparing.done() and loop.time() >= prepare_at:
                preparing.result()
                preparing = loop.create_task(self._prepare())
                prepare_at = loop.time() + PREPARE_S
            await self._sleep()

    async def _sleep(self) -> None:
        wakes = [part.next_wake for part in self._partitions().values()]
        soonest = min((wake for wake in wakes if wake is not None), default=NEVER)
        seconds = (soonest - micros(self._now())) / 1e6
        self._woken.clear()
        try:
            async with asyncio.timeout(max(0.0, min(seconds, self._look_every_s))):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _each(
        self, parts: Mapping[int, Partition], work: Callable[[int, Partition], Coroutine[None, None, None]]
    ) -> None:
        if parts:
            async with asyncio.TaskGroup() as group:
                for number, part in parts.items():
                    group.create_task(work(number, part))

    async def _fire(self, number: int, part: Partition) -> None:
        while (wake := part.next_wake) is not None and wake <= micros(self._now()):
            async with part.lock:
                await part.reach(micros(self._now()))
                async with self._deciding:  # one after the other: twelve at once keep the event loop for 0.7 s
                    if self._partitions().get(number) is not part:
                        return  # revoked while waiting
                    now = self._now()
                    fired, leaving, dues = await self._decide(part, now)
                await self._transactions.write(number, part, fired.messages, {**fired.rows, **leaving})
                self._set_aside(number, part, fired.aside)
                if dues:
                    self._fired(fired.counts, dues, now)
            await asyncio.sleep(0)

    def _set_aside(self, number: int, part: Partition, rows: Mapping[bytes, str]) -> None:
        if rows:
            part.aside.update(rows)
            get_logger().error("timers.set_aside", partition=number, rows=len(rows), causes=sorted(set(rows.values())))
            self._lacking()

    async def _decide(self, part: Partition, now: datetime) -> tuple[Fired, dict[bytes, None], list[int]]:
        """Return what becomes of rows whose time has come, which leave, and the instants of those due.

        Others have a turn between two slices.
        """
        whole, leaving, dues, at = Fired(), dict[bytes, None](), list[int](), micros(now)
        for _ in range(BATCH // DECIDED_A_TURN):
            due, over = part.take(at, DECIDED_A_TURN)
            leaving.update(dict.fromkeys(over))
            fired = self._owner.fire(due, part.prepared, part.terms, now)
            if any(instants(packed)[0] <= at for packed in fired.rows.values()):
                raise RuntimeError("a row fired and still has timers due: it would fire for ever")
            whole.messages += fired.messages
            whole.rows.update(fired.rows)
            whole.counts.update(fired.counts)
            whole.aside.update(fired.aside)
            dues += (instants(packed)[0] for key, packed in due if key not in fired.aside)
            await asyncio.sleep(0)
            if part.next_wake is None or part.next_wake > at:
                break
        return whole, leaving, dues

    async def _prepare(self) -> None:
        for number, part in list(self._partitions().items()):
            until = micros(self._now() + AHEAD)
            await part.reach(until)
            for some in part.due_by(until, PREPARED_A_TURN):
                for key, packed in some:
                    if key not in part.prepared:
                        part.prepared[key] = self._owner.prepare(key, packed, part.terms)
                await asyncio.sleep(0)
                if self._partitions().get(number) is not part:
                    break

    async def _tell_catch_up(self, now: int) -> None:
        """Say what will be done with what fell due during an outage, before any of it is done (B3)."""
        late = now - OVERDUE // timedelta(microseconds=1)
        counts: Counter[str] = Counter()
        for part in list(self._partitions().values()):
            if part.next_wake is not None and part.next_wake <= late:
                counts.update(await self._expected_of(part, now, late))
        if counts:
            self._expected(counts)

    async def _expected_of(self, part: Partition, now: int, late: int) -> Counter[str]:
        """Return what will become of a partition's overdue timers, nothing if none has been due since `late`."""
        await part.reach(now)
        counts: Counter[str] = Counter()
        outage = False
        for some in part.due_by(now, DECIDED_A_TURN):
            outage = outage or any(instants(packed)[0] <= late for _, packed in some)
            if outage:
                counts.update(self._owner.expect(some, part.terms, self._now()))
            await asyncio.sleep(0)
        return counts
