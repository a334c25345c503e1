"""One owned partition: what was fetched of it, where it stands, and the work on it, one batch at a time."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from chassis import logs
from chassis.batch import Batch, Part
from chassis.breaker import Breaker
from chassis.errors import Unavailable
from chassis.joint import SMALL, Joint
from chassis.offsets import Overtaken
from chassis.subscription import Subscription

type Record = ConsumerRecord[bytes, bytes]

BATCH_RECORDS = 4_000
"""Records of one transaction at most: about 0.15 s of work, far inside the transaction timeout of 10 s."""
BACKOFF_BASE_S = 0.1
BACKOFF_CAP_S = 5.0
LOOK_AGAIN_S = 5.0
"""Between looks whether a partition that stands still was mended, or its position moved by `dead-letters skip`."""


@dataclass(frozen=True, slots=True)
class Halt:
    """Why one partition stands still, and where.

    Attributes:
        offset: The first record not taken.
        why: For people, without personal data.
        skip_to: The offset after what cannot be read, if that is known.
        in_records: It is over when these records are applied or skipped; else when the place can be read from.
    """

    offset: int
    why: str
    skip_to: int | None = None
    in_records: bool = True

    def text(self, tp: TopicPartition) -> str:
        """Return it for people, with the way out."""
        way_out = ""
        if self.skip_to is not None:
            skip = f"dead-letters skip {tp.topic} {tp.partition} --to {self.skip_to}"
            way_out = f". To go on without: {skip} --by WHO --reason WHY"
        return f"{tp.topic}[{tp.partition}] stands at {self.offset}: {self.why}{way_out}"


class Partition:
    """Takes fetched records and applies them in order.

    Attributes:
        tp: Which one.
        held: The position that PostgreSQL is expected to have.
        sought: Whether Kafka is read from where PostgreSQL stands; until then nothing is taken.
        trouble: Why it does not get on just now, or None.
        halt: What a person must mend or skip before this partition goes on; the others do. None if it does.
    """

    def __init__(
        self,
        tp: TopicPartition,
        subscription: Subscription[Any],
        batch: Batch,
        breaker: Breaker,
        slots: asyncio.Semaphore,
        changed: Callable[[], None],
        joint: Joint | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tp = tp
        self.held = 0
        self.sought = False
        self.trouble: str | None = None
        self.halt: Halt | None = None
        self._subscription = subscription
        self._batch = batch
        self._breaker = breaker
        self._slots = slots
        self._changed = changed
        self._joint = joint
        self._monotonic = monotonic
        self._look_at = 0.0
        self._still = False
        self._backlog: list[Record] = []
        self._ended = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._log = logs.get_logger()

    @property
    def busy(self) -> bool:
        """Whether records were taken whose effect is not committed yet."""
        return self._worker is not None

    @property
    def hungry(self) -> bool:
        """Whether more records may be fetched."""
        return self.sought and not self._still and len(self._backlog) < BATCH_RECORDS

    @property
    def unsure(self) -> bool:
        """Whether its position and place are to be looked up now."""
        if self.busy or self._monotonic() < self._look_at:
            return False
        return not self.sought or (self._still and not self._backlog)

    def begin_at(self, position: int) -> None:
        """Expect PostgreSQL to stand at `position`, where Kafka was just told to read from; try there again."""
        if self.halt is not None and not (self.halt.in_records and self.held <= position <= self.halt.offset):
            self.halt = None
        self.held = position
        self.sought = True
        self.trouble = None
        self._still = False

    def stand_still(self, halt: Halt) -> None:
        """Take nothing more, apply what was taken, and try again now and then: it may be mended, or skipped."""
        if halt != self.halt:
            self._log.error("partition.halted", topic_name=self.tp.topic, partition=self.tp.partition, halt=halt)
        self.halt = halt
        self._still = True
        self._look_at = self._monotonic() + LOOK_AGAIN_S

    def distrust(self) -> None:
        """Forget what was fetched: position and place are to be read again once the batch in flight has ended."""
        self.sought = False
        self._backlog.clear()
        self._changed()

    def give(self, records: list[Record]) -> None:
        """Take fetched records, which follow those given before."""
        if not self.sought:
            return
        self._backlog += records
        if self._worker is None and self._backlog:
            if self._joint is not None and self._joint.takes(self._backlog):
                self._worker = self._joint.join(self)
            else:
                self._work_alone()

    def taken(self) -> Part | None:
        """Take what waits, as a share of a joint batch; None if nothing may be taken."""
        if not self._backlog or self._ended.is_set() or self._breaker.is_open:
            self._worker = None
            if not self.sought:
                self._changed()
            return None
        return Part(self.tp, self._next(SMALL), self.held)

    def joined(self, part: Part, *, applied: bool) -> None:
        """Go on after a joint batch; what it did not apply is applied alone, before all that came later."""
        self._worker = None
        if applied:
            self._moved(part.end)
            self.trouble = None
        elif self.sought and not self._ended.is_set():
            self._backlog[:0] = part.records
            self._work_alone()
            return
        if self.sought:
            self.give([])
        else:
            self._changed()

    def _next(self, most: int = BATCH_RECORDS) -> list[Record]:
        """Take the records of one batch from what waits; says so if there is room again."""
        full = len(self._backlog) >= BATCH_RECORDS
        records, self._backlog = self._backlog[:most], self._backlog[most:]
        if full:
            self._changed()
        return records

    def _work_alone(self) -> None:
        self._worker = asyncio.create_task(self._work(), name=f"partition {self.tp.topic}[{self.tp.partition}]")

    async def end(self) -> None:
        """Give the partition up: the batch in flight is finished, so that its commit is the last word."""
        self._ended.set()
        self._backlog.clear()
        if self._worker is not None:
            await self._worker

    async def _work(self) -> None:
        try:
            while self._backlog and not self._ended.is_set() and not self._breaker.is_open:
                async with self._slots:
                    await self._apply(self._next())
        except Exception as error:  # noqa: BLE001  # what was fetched must not be passed over
            self._log.exception("partition.failed", topic_name=self.tp.topic, partition=self.tp.partition)
            self.distrust()
            self.stand_still(Halt(self.held, f"could not be applied: {type(error).__name__}, see the log"))
        finally:
            self._worker = None
            if not self.sought:
                self._changed()

    async def _apply(self, records: list[Record]) -> None:
        """Apply these records, as often as it takes, unless the partition is given up meanwhile."""
        failures = 0
        while records and not self._ended.is_set() and not self._breaker.is_open:
            try:
                await self._batch.apply(self.tp, self._subscription, records, self.held, self._moved)
                self.trouble, failures = None, 0
            except Overtaken:
                self._log.warning(
                    "consumer.overtaken", topic_name=self.tp.topic, partition=self.tp.partition, held=self.held
                )
                self.distrust()
                return
            except Unavailable as error:
                failures += 1
                self.trouble = f"{self.tp.topic}[{self.tp.partition}] waits: {error.message}"
                if failures & (failures - 1) == 0:  # the 1st, 2nd, 4th, 8th …
                    self._log.warning(
                        "consumer.unavailable",
                        topic_name=self.tp.topic,
                        partition=self.tp.partition,
                        code=error.code,
                        failures=failures,
                    )
                await self._back_off(failures)
            records = [record for record in records if record.offset >= self.held]

    async def _back_off(self, failures: int) -> None:
        longest = min(BACKOFF_BASE_S * 2.0 ** min(failures, 10), BACKOFF_CAP_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest * random.uniform(0.5, 1)):  # noqa: S311  # jitter, no secret
                await self._ended.wait()

    def _moved(self, position: int) -> None:
        self.held = position
        if self.halt is not None and position > self.halt.offset:
            self.halt = None
