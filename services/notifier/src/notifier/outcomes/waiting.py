"""Those who wait for the next outcome: one look at the database serves them all, and none is made for nobody."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from chassis.process.errors import Unavailable
from notifier.outcomes.place import Place

MOST = 200
"""Who wait at once; one more is answered at once, as without waiting."""
LOOK_S = 0.5
"""Between two looks."""

type Newest = Callable[[], Awaitable[Place]]


class WaitingForOutcomes:
    """Those of one process."""

    def __init__(self, newest: Newest, stop: asyncio.Event, most: int = MOST, look_s: float = LOOK_S) -> None:
        self._newest, self._stop, self._most, self._look_s = newest, stop, most, look_s
        self._waiting: dict[asyncio.Event, Place] = {}
        self._looking: asyncio.Task[None] | None = None

    async def beyond(self, place: Place, within_s: float) -> bool:
        """Wait until there is something after this place; False: not within this time, or nobody may wait now."""
        if within_s <= 0 or len(self._waiting) >= self._most or self._stop.is_set():
            return False
        there = asyncio.Event()
        self._waiting[there] = place
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(within_s):
                await there.wait()
        except TimeoutError:
            return False
        finally:
            del self._waiting[there]
        return not self._stop.is_set()

    async def _look(self) -> None:
        while self._waiting:
            with suppress(Unavailable):  # who asks next is told; those who wait wait on
                newest = await self._newest()
                for there, place in self._waiting.items():
                    if newest > place:
                        there.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_s):
                    await self._stop.wait()
                for there in self._waiting:
                    there.set()
                return
