"""The timers of a worker as its reconciler sees them."""

from types import SimpleNamespace
from typing import Any

from reminders.reconciler.worker_timers import EngineTimers
from tests.support.reminders.builders import NOW


async def lag() -> dict[int, int]:
    return {0: 3, 1: 50_000, 2: 4}


async def test_it_is_behind_by_what_is_still_taken_and_not_by_what_stands_still() -> None:
    """What stands still would otherwise keep the reconciler from planning what it lacks."""
    engine: Any = SimpleNamespace(lag=lag, taking={0, 2})

    assert await EngineTimers(engine, "appointments", 12, lambda: NOW).behind() == 7
