"""Drives domain time: step to the next instant when every process is idle on the current epoch (design §7)."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from chassis.process import clock
from stack.demo.client import Client, Refused
from stack.demo.installation import Installation

POLL_S = 0.02
PATIENCE_S = 180.0
"""A process that is busy for longer than this on one instant is stuck, on a machine with many times its load too."""

MINUTE = timedelta(minutes=1)
ASKED = (
    *("booking", "records", "reminders-worker", "reminders-projector"),
    *("notifier", "reminders-projector", "reminders-api"),
)
"""Which process is asked after which whether it is idle."""


class NotIdle(Exception):
    """A process did not come to rest on an instant."""


class Driver:
    """Steps the clock of one installation, always forward."""

    def __init__(
        self,
        client: Client,
        installation: Installation,
        patience_s: float = PATIENCE_S,
        grain: timedelta = MINUTE,
    ) -> None:
        self._client = client
        self._file = installation.clock_file
        self._patience_s = patience_s
        self._grain = grain
        self._epoch: int | None = None
        self.now: datetime | None = None
        self.steps = 0

    def step(self, to: datetime) -> None:
        """Set domain time to `to`."""
        self._epoch = clock.step(self._file, to)
        self.now = to
        self.steps += 1

    async def settle(self) -> datetime | None:
        """Wait until every process is idle on this epoch and return the earliest instant at which one wakes.

        Asked in the direction of the work: who is idle has handed everything on, so that the next, when it is
        idle later, has that behind it too. A clinic's day goes from the projector to the notifier and what becomes
        of it goes back, so the projector is asked before and after. Not waited for is a patient's reply, which goes
        from the notifier to booking.
        """
        until = time.monotonic() + self._patience_s
        answers = [await self._idle(service, until) for service in ASKED]
        wakes = [datetime.fromisoformat(found) for answer in answers if (found := answer["next_wake_at"])]
        return min(wakes, default=None)

    async def run_until(
        self,
        end: datetime,
        actions: dict[datetime, Callable[[], Awaitable[None]]],
        seen: Callable[[datetime], None] = lambda _: None,
    ) -> None:
        """Step from instant to instant until `end`, doing each action at its own."""
        pending = dict(sorted(actions.items()))
        while True:
            wake = await self.settle()
            now = self.now or datetime.min.replace(tzinfo=UTC)
            seen(now)
            instants = [
                instant for instant in (wake and rounded_up(wake, self._grain), next(iter(pending), None)) if instant
            ]
            following = min(instants, default=end)
            if following >= end:
                self.step(end)
                await self.settle()
                return
            self.step(max(following, now + MINUTE))
            if following in pending:
                await pending.pop(following)()

    async def _idle(self, service: str, until: float) -> dict[str, Any]:
        while not self._at_rest(answer := await self._clock(service)):
            if time.monotonic() > until:
                raise NotIdle(f"{service} is busy on epoch {self._epoch} ({self.now}): {answer}")
            await asyncio.sleep(POLL_S)
        return answer

    async def _clock(self, service: str) -> dict[str, Any]:
        """Return the service's clock; one that does not answer is not idle."""
        try:
            return await self._client.clock(service)
        except (Refused, httpx2.HTTPError) as error:
            return {"idle": False, "epoch": None, "error": repr(error)}

    def _at_rest(self, answer: dict[str, object]) -> bool:
        return bool(answer["idle"]) and (self._epoch is None or answer["epoch"] == self._epoch)


def rounded_up(instant: datetime, to: timedelta = MINUTE) -> datetime:
    """Return the next whole minute, or whole `to` of UTC, or the instant itself if it is one."""
    over = (instant - datetime.min.replace(tzinfo=UTC)) % to
    return instant + (to - over) if over else instant
