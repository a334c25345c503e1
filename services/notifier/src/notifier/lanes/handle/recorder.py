"""A lane's answers: written down together, and never given up while the database is away."""

import asyncio
import random
from collections.abc import Callable, Sequence

import structlog

from chassis.process.clock import Clock
from chassis.process.errors import Unavailable
from notifier.lanes.handle.judgement import record
from notifier.lanes.handle.ports import Answered, Ledger
from notifier.ledger.domain.notification import Notification
from schemas.notifications import Channel

log: structlog.stdlib.BoundLogger = structlog.get_logger()

GATHER_S = 0.01
"""How long an answer waits for those of other calls under way, to be written down together."""

IDLE_S = 0.2
MOST_ANSWERS = 200
PAUSE_S = 1.0


class Recorder:
    """Takes answers and writes them down."""

    def __init__(
        self,
        channel: Channel,
        ledger: Ledger,
        clock: Clock,
        recorded: Callable[[Sequence[Answered]], None],
        told: Callable[[Sequence[Notification]], None],
    ) -> None:
        self._channel, self._ledger, self._clock = channel, ledger, clock
        self._recorded, self._told = recorded, told
        self._answers: asyncio.Queue[Answered] = asyncio.Queue()
        self._unrecorded = 0

    def begun(self) -> None:
        """Count a message whose answer is to come."""
        self._unrecorded += 1

    def answered(self, answered: Answered) -> None:
        """Take the answer to a message that was claimed."""
        self._answers.put_nowait(answered)

    async def run(self, finished: asyncio.Event) -> None:
        """Write answers down, as many together as there are; after `finished` until the last is recorded."""
        while not (finished.is_set() and self._unrecorded == 0):
            try:
                async with asyncio.timeout(IDLE_S):
                    answers = [await self._answers.get()]
            except TimeoutError:
                continue
            if self._unrecorded > 1:
                await asyncio.sleep(GATHER_S)
            while not self._answers.empty() and len(answers) < MOST_ANSWERS:
                answers.append(self._answers.get_nowait())
            settled = await self._record(answers)
            self._unrecorded -= len(answers)
            self._recorded(answers)
            self._report_outcomes(settled)

    async def _record(self, answers: Sequence[Answered]) -> list[Notification]:
        """Record, again and again while the database is away: an answer is worth keeping."""
        while True:
            try:
                return await record(self._ledger, self._channel, answers, self._clock.now(), random.random())  # noqa: S311
            except Unavailable as error:
                log.warning("lane.answers_wait", lane=self._channel, code=error.code, answers=len(answers))
                await asyncio.sleep(PAUSE_S)
            except Exception:  # noqa: BLE001  # whatever an answer raises is that answer's
                if len(answers) > 1:
                    return [after for one in answers for after in await self._record([one])]
                await self._note(answers)
                return []

    async def _note(self, answers: Sequence[Answered]) -> None:
        """Keep an answer whose message cannot be settled by it; that becomes *unknown* when its lease runs out."""
        [one] = answers
        place = {"lane": self._channel, "notification_id": str(one.call.notification_id)}
        log.exception("message.answer_not_settled", **place, attempt_id=str(one.call.attempt_id))
        try:
            async with self._ledger.transaction() as work:
                await work.close_attempts(one.every, self._clock.now())
        except Exception:
            log.exception("message.answer_not_kept", **place)

    def _report_outcomes(self, settled: Sequence[Notification]) -> None:
        for one in settled:
            log.info(
                "notification.settled",
                notification_id=str(one.notification_id),
                attempt_id=str(one.attempt_id),
                lane=self._channel,
                state=one.state,
                reason=one.reason,
                attempts=one.attempts,
            )
        self._told(settled)
