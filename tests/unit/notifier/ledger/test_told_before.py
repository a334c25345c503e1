"""What the release before has told is looked through before a topic is read, however long a database is away."""

import asyncio
from typing import Any, cast

from chassis.postgres.database import Pool
from chassis.process.clock import RealClock
from chassis.process.errors import Unavailable
from notifier.ledger.told_before import ToldBefore


class Away:
    """A pool whose database is away for its first questions; it has no visits."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.asked = asyncio.Event()

    async def fetch(self, *_: Any) -> list[Any]:
        self.asked.set()
        if self.left:
            self.left -= 1
            raise Unavailable("DATABASE_UNAVAILABLE", "away")
        return []


async def test_a_database_that_is_away_is_waited_for() -> None:
    pool = Away(2)

    await ToldBefore(cast(Pool, pool), RealClock(), again_s=0.001).first(asyncio.Event())

    assert pool.left == 0


async def test_a_stop_ends_the_waiting() -> None:
    pool, stop = Away(1_000_000), asyncio.Event()
    waiting = asyncio.create_task(ToldBefore(cast(Pool, pool), RealClock(), again_s=3600).first(stop))
    await pool.asked.wait()

    stop.set()

    await asyncio.wait_for(waiting, 10)
