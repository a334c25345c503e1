"""From source records to rows: batch by batch, acknowledged when they are durable."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, cast

from faust.types import Message as Record

from chassis.delivery.unreadable_limit import PER_MINUTE, Breaker
from reminders.timers.partition import Partition
from reminders.timers.ports import Outcome, Owner, Source, Taken
from reminders.timers.transaction import Transactions

CHUNK = 2000
"""Records of one transaction: larger ones gain little and hold up the partition's firing."""

SLICE = 250
"""Records decided between two turns of the event loop: about 5 ms."""

TRANSACTIONS_A_SECOND = 50
BURST = 12
SMALL = 250
"""A transaction costs the broker the same for one record as for a thousand (fact 17), so under load small ones, of
fewer records than `SMALL`, are made no more often than this by one worker, and grow. A quiet worker never waits."""


class Acknowledger(Protocol):
    """What takes acknowledgements: see `AwaitedConsumer`."""

    def acknowledge(self, message: Record) -> None:
        """Say that everything up to this record of its partition is durably done."""

    def acknowledge_before(self, message: Record, offset: int) -> None:
        """Say that of its records those below `offset` are durably done, and with the others nothing was done."""

    def release(self, message: Record) -> None:
        """Say that nothing was done with this record, and nobody is to wait for it."""


class Pace:
    """A bucket of turns that fills by the clock of the machine."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._turns = float(burst)
        self._at = time.monotonic()

    async def turn(self) -> None:
        """Take a turn, waiting for it if need be."""
        now = time.monotonic()
        self._turns = min(self._burst, self._turns + (now - self._at) * self._rate) - 1
        self._at = now
        if self._turns < 0:
            await asyncio.sleep(-self._turns / self._rate)


class Intake:
    """Takes messages of many records from the agent, and writes what they change.

    Every partition has its own line and its own task, so that one waits for the broker while another
    decides. What waits in a line is taken together.

    Args:
        generation: Returns the group's generation; records of another one will be read again.
        breaker: Opens when too many records of our own cannot be taken: the fault is ours then, and nothing more is
            taken. Timers that are there go on.
    """

    def __init__(
        self,
        owner: Owner,
        transactions: Transactions,
        partitions: Callable[[], Mapping[int, Partition]],
        acknowledger: Acknowledger,
        generation: Callable[[], int],
        count: Callable[[Counter[Outcome]], None],
        breaker: Breaker,
    ) -> None:
        self._owner = owner
        self._transactions = transactions
        self._partitions = partitions
        self._acknowledger = acknowledger
        self._generation = generation
        self._count = count
        self._breaker = breaker
        self._pace = Pace(TRANSACTIONS_A_SECOND, BURST)
        self._lines: dict[int, list[Record]] = defaultdict(list)
        self._working: set[int] = set()
        self._came = asyncio.Event()

    @property
    def busy(self) -> bool:
        """Whether a record is in hand."""
        return bool(self._working) or any(self._lines.values())

    def take(self, message: Record) -> None:
        """Put a message in its partition's line. The consumer hands on only so many."""
        self._lines[message.partition].append(message)
        self._came.set()

    async def run(self) -> None:
        """Write what comes, for ever. Whatever goes wrong ends it, and must end the process (fact 2)."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._came.wait()
                self._came.clear()
                for number, line in self._lines.items():
                    if line and number not in self._working:
                        self._working.add(number)
                        group.create_task(self._work(number))

    async def offer(self, number: int, records: Sequence[Source]) -> int:
        """Take records that came another way, as if the source had given them; nothing is acknowledged.

        Returns:
            How many of them were taken, the first so many; 0 if the partition is not live here, or nothing is taken.
        """
        part = self._partitions().get(number)
        if part is None or self._breaker.is_open:
            return 0
        _, done = await self._apply(number, part, records)
        return done

    async def _work(self, number: int) -> None:
        try:
            while self._lines[number]:
                if self._breaker.is_open:
                    self._let_go(number)
                    break
                if sum(len(_records(message)) for message in self._lines[number]) < SMALL:
                    await self._pace.turn()
                messages = self._next(number)
                part = self._partitions().get(number)
                records = [record for message in messages for record in _records(message)]
                outcomes, done = Counter[Outcome](), 0
                if part is not None and records:
                    outcomes, done = await self._apply(number, part, records)
                self._acknowledge(messages, done)
                self._count(outcomes)
        finally:
            self._working.discard(number)

    def _acknowledge(self, messages: Sequence[Record], done: int) -> None:
        """Acknowledge the first `done` records of these; the others are read again, by whoever is to."""
        for message in messages:
            records = _records(message)
            if done >= len(records):
                self._acknowledger.acknowledge(message)
            elif done > 0:
                self._acknowledger.acknowledge_before(message, records[done].offset)
            else:
                self._acknowledger.release(message)
            done = max(0, done - len(records))

    def _let_go(self, number: int) -> None:
        for message in self._lines.pop(number):
            self._acknowledger.release(message)

    def _next(self, number: int) -> list[Record]:
        """Return the messages of one transaction; those of an older assignment are let go."""
        generation, line = self._generation(), self._lines[number]
        taken: list[Record] = []
        size = 0
        while line and (not taken or size + len(_records(line[0])) <= CHUNK):
            message = line.pop(0)
            if message.generation_id == generation:
                taken.append(message)
                size += len(_records(message))
            else:
                self._acknowledger.release(message)
        return taken

    async def _apply(self, number: int, part: Partition, records: Sequence[Source]) -> tuple[Counter[Outcome], int]:
        """Take the records, up to where too many of them are dead; return what became of them, and of how many."""
        async with part.lock:
            if self._partitions().get(number) is not part:
                return Counter(), 0
            whole, done = Taken(), 0
            while done < len(records) and whole.faults < PER_MINUTE:
                some = records[done : done + SLICE]
                self._owner.take(some, part.get, part.terms, whole)
                done += len(some)
                await asyncio.sleep(0)
            await self._transactions.write(number, part, whole.messages, whole.rows)
            self._breaker.count(done, whole.faults)
            return whole.outcomes, done


def _records(message: Record) -> Sequence[Source]:
    """Return the source records that a message carries: see `AwaitedConsumer`."""
    return cast(Sequence[Source], message.value)
