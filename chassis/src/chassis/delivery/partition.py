"""One owned partition: its position, and whether records of it are being applied."""

import asyncio
import contextlib
import time
from collections.abc import Callable

from aiokafka import TopicPartition

from chassis.kafka.halt import LOOK_AGAIN_S, Halt
from chassis.process import logs


class Partition:
    """What is known of a partition. Records are fetched of it only while none of it are being applied.

    Attributes:
        sought: Whether Kafka is read from the position in PostgreSQL; until then nothing is taken.
        trouble: Why it does not get on just now, or None.
        halt: What a person must mend or skip before this partition goes on; the others do. None if it does.
    """

    def __init__(
        self, tp: TopicPartition, changed: Callable[[], None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.tp = tp
        self.held = 0
        self.sought = False
        self.trouble: str | None = None
        self.halt: Halt | None = None
        self._changed = changed
        self._monotonic = monotonic
        self._look_at = 0.0
        self._still = False
        self._given_up = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        self._log = logs.get_logger()

    @property
    def busy(self) -> bool:
        """Whether records were taken whose effect is not committed yet."""
        return self._work is not None

    @property
    def hungry(self) -> bool:
        """Whether more records may be fetched."""
        return self.sought and not self._still and not self.busy

    @property
    def unsure(self) -> bool:
        """Whether its position and place are to be looked up now."""
        return not self.busy and self._monotonic() >= self._look_at and (not self.sought or self._still)

    @property
    def given_up(self) -> bool:
        """Whether nothing more is to be begun: it is another's soon."""
        return self._given_up.is_set()

    def begin_at(self, position: int) -> None:
        """Expect `position` in PostgreSQL, from which Kafka is now to be read; try there again."""
        if self.halt is not None and not (self.halt.in_records and self.held <= position <= self.halt.offset):
            self.halt = None
        self.held = position
        self.sought = True
        self.trouble = None
        self._still = False

    def begin(self, work: asyncio.Task[None]) -> None:
        """Be busy with applying records."""
        self._work = work

    def moved(self, position: int) -> None:
        """Stand at a position that was committed."""
        self.held = position
        self.trouble = None
        if self.halt is not None and position > self.halt.offset:
            self.halt = None

    def rest(self) -> None:
        """Be no longer busy."""
        self._work = None
        self._changed()

    def stand_still(self, halt: Halt) -> None:
        """Take nothing more, and try again now and then: it may be mended, or skipped."""
        if halt != self.halt:
            self._log.error("partition.halted", topic_name=self.tp.topic, partition=self.tp.partition, halt=halt)
        self.halt = halt
        self._still = True
        self._look_at = self._monotonic() + LOOK_AGAIN_S

    def distrust(self) -> None:
        """Let position and place be read again once the batch in flight has ended."""
        self.sought = False
        self._changed()

    async def given_up_within(self, seconds: float) -> None:
        """Wait so long, or until it is given up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._given_up.wait()

    async def end(self) -> None:
        """Give the partition up: the batch in flight is finished, so that its commit is the last word."""
        self._given_up.set()
        if self._work is not None:
            await self._work
