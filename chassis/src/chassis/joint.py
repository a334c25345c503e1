"""Small batches of several partitions of one topic in one transaction: what a trickle of events costs, shared.

At 200 events a second over 12 partitions every batch is one record; each in its own transaction took most of the
CPU of a consumer and of PostgreSQL. Nothing waits for others here: what is there when the joint batch before has
ended makes the next one. Whatever goes wrong is settled by each partition alone, as if it had never been joint.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from aiokafka import ConsumerRecord

from chassis import logs
from chassis.batch import Apart, Batch, Part
from chassis.errors import Unavailable
from chassis.offsets import Overtaken
from chassis.subscription import Subscription

SMALL = 50
"""Records of one partition that may still be applied with those of others; more are a batch of their own."""
APART_S = 1.0
"""After two joint batches in a row that did not go through, each partition is applied alone for so long: one repeat
costs one batch twice, a replay of many costs one batch a second twice."""


class Member(Protocol):
    """A partition, as a joint batch sees it."""

    def taken(self) -> Part | None:
        """Take what waits, at most `SMALL`, as a share of a joint batch; None if nothing may be taken."""

    def joined(self, part: Part, *, applied: bool) -> None:
        """Go on after the joint batch: the share was applied, or is to be applied alone."""


class Joint:
    """Applies what waits in several partitions of one topic, one joint batch at a time.

    Args:
        subscription: The topic.
        batch: Applies.
        slots: Transactions in flight, shared with the partitions that work alone.
        monotonic: Machine time in seconds.
    """

    def __init__(
        self,
        subscription: Subscription[Any],
        batch: Batch,
        slots: asyncio.Semaphore,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._subscription = subscription
        self._batch = batch
        self._slots = slots
        self._waiting: list[Member] = []
        self._worker: asyncio.Task[None] | None = None
        self._monotonic = monotonic
        self._apart_until = 0.0
        self._failed_before = False
        self._log = logs.get_logger()

    def takes(self, waiting: Sequence[ConsumerRecord[bytes, bytes]]) -> bool:
        """Say whether a partition with these records waiting should join."""
        return len(waiting) <= SMALL and self._monotonic() >= self._apart_until

    def join(self, member: Member) -> asyncio.Task[None]:
        """Let the member take part in the next joint batch; return the work to wait for."""
        self._waiting.append(member)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work(), name=f"joint batches of {self._subscription.topic.name}")
        return self._worker

    async def _work(self) -> None:
        try:
            while self._waiting:
                async with self._slots:
                    members, self._waiting = self._waiting, []
                    await self._round(members)
        finally:
            self._worker = None

    async def _round(self, members: Sequence[Member]) -> None:
        shares = [(member, member.taken()) for member in members]
        parts = [(member, part) for member, part in shares if part is not None]
        applied = False
        try:
            if parts:
                await self._batch.together(self._subscription, [part for _, part in parts])
            applied = True
        except (Apart, Overtaken):
            pass
        except Unavailable as error:
            self._log.warning("consumer.unavailable", topic_name=self._subscription.topic.name, code=error.code)
        except Exception as error:  # noqa: BLE001  # each alone finds out whose record it is
            self._log.warning("batch.apart", topic_name=self._subscription.topic.name, cause=error)
        finally:
            if not applied and self._failed_before:
                self._apart_until = self._monotonic() + APART_S
            self._failed_before = not applied
            for member, part in parts:
                member.joined(part, applied=applied)
