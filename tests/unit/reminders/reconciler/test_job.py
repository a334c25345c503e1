"""When the reconciler runs, and what is told of it: never an end of the timers, always a reason."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from chassis.process.clock import StillClock
from chassis.process.errors import Unavailable
from chassis.process.health import Health
from chassis.process.metrics import Metrics
from reminders.reconciler.domain import Difference
from reminders.reconciler.handle import Found
from reminders.reconciler.job import ReconcilerJob
from tests.support.reminders.builders import NOW


class Passes:
    """Passes that end as they are told."""

    def __init__(self, *ends: Found | Exception) -> None:
        self.ends = list(ends)
        self.made = asyncio.Event()

    async def reconcile(self) -> Found:
        if not self.ends:
            await asyncio.Event().wait()  # one more pass than there are ends
        end = self.ends.pop(0)
        if not self.ends:
            self.made.set()
        if isinstance(end, Exception):
            raise end
        return end


class Endless:
    """A pass that never ends by itself."""

    def __init__(self) -> None:
        self.began = asyncio.Event()

    async def reconcile(self) -> Found:
        self.began.set()
        await asyncio.Event().wait()
        raise AssertionError


async def ran(passes: Passes | Endless | None, until: Callable[[], Awaitable[object]]) -> tuple[dict[str, object], str]:
    """Run the job until then; return its status and the metrics."""
    metrics, health, stop = Metrics("test"), Health("test", StillClock(NOW)), asyncio.Event()
    job = ReconcilerJob(passes, lambda: True, metrics, 0.001)
    job.watch(health)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(job.run(stop))
        await until()
        await asyncio.sleep(0)
        stop.set()
    counts = {
        sample.labels["difference"]: sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "attend_reconciled_total"
    }
    return dict(await health.status()), str(counts)


async def test_without_booking_it_is_off_and_says_what_is_missing() -> None:
    status, counts = await ran(None, lambda: asyncio.sleep(0))

    assert "REMINDERS_BOOKING_KEY" in str(status["reconciler"])
    assert counts == "{'missing': 0.0, 'different': 0.0, 'unwanted': 0.0}"


async def test_what_was_mended_is_counted_and_told() -> None:
    mended = Counter({Difference.MISSING: 2, Difference.UNWANTED: 1})
    passes = Passes(Found(5, mended), Found(7, Counter({Difference.DIFFERENT: 1}), "more in the next pass"))

    status, counts = await ran(passes, passes.made.wait)

    assert status["reconciler"] == "compared 7: 0 missing, 1 different, 0 unwanted; more in the next pass"
    assert status["reconciled"] == 4
    assert counts == "{'missing': 2.0, 'different': 1.0, 'unwanted': 1.0}"


async def test_a_booking_that_is_away_is_told_and_ends_nothing() -> None:
    passes = Passes(Unavailable("BOOKING_UNAVAILABLE", "booking does not answer: ConnectError"))

    status, _ = await ran(passes, passes.made.wait)

    assert status["reconciler"] == "waiting: booking does not answer: ConnectError"


async def test_a_pass_under_way_ends_with_the_process() -> None:
    passes = Endless()

    status, _ = await ran(passes, passes.began.wait)

    assert status["reconciled"] == 0


async def test_a_booking_that_lacks_versions_held_here_makes_the_worker_not_ready_until_it_has_them() -> None:
    behind = Passes(Found(5, behind=2))
    mended = Passes(Found(5, behind=2), Found(5))

    status, _ = await ran(behind, behind.made.wait)
    assert status["state"] == "not ready"
    assert "of 2 appointments it lacks a version held here" in str(status["reconciler"])

    assert (await ran(mended, mended.made.wait))[0]["state"] == "ready"


async def test_a_pass_that_is_asked_for_is_made_at_once_and_the_worker_is_not_ready_before_one_left_nothing() -> None:
    passes, metrics, stop = Passes(Found(5, left="not compared"), Found(5)), Metrics("test"), asyncio.Event()
    job = ReconcilerJob(passes, lambda: True, metrics, 3600)
    running = asyncio.ensure_future(job.run(stop))
    await asyncio.sleep(0)
    assert job.reason() is None

    job.hasten()
    assert "timers are missing here" in str(job.reason())
    async with asyncio.timeout(60):
        while len(passes.ends) == 2:  # noqa: ASYNC110  # the job's own turn
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert "timers are missing here" in str(job.reason()), "that pass left something"
        job.hasten()
        while job.reason() is not None:  # noqa: ASYNC110  # as above
            await asyncio.sleep(0)
    stop.set()
    await running
    assert passes.ends == []
