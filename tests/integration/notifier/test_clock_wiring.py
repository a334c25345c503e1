"""The notifier as it is put together enters and sends nothing while PostgreSQL's clock is another than its own (§7)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from notifier.wiring.service import LANES, Service, build
from schemas.notifications import Channel
from tests.support.database_clock import shift
from tests.support.installation import Installation
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = pytest.mark.integration


@asynccontextmanager
async def running(notifier: RunningNotifier, *lanes: Channel) -> AsyncIterator[Service]:
    """Run an instance while the block runs."""
    stop = asyncio.Event()
    async with build(notifier.settings(http_port=0, operations_port=0), stop, lanes=lanes) as service:
        task = asyncio.create_task(service.run(stop))
        try:
            yield service
        finally:
            stop.set()
            await task


async def test_neither_fan_out_nor_lanes_decide_by_a_clock_that_nobody_agrees_with(
    notifier: RunningNotifier, installation: Installation
) -> None:
    patient = await notifier.patient()
    async with running(notifier):
        queued = await notifier.book(patient)
        await notifier.settled(queued, "confirmation", "queued")
    await shift(installation.admin_url, timedelta(hours=4, minutes=40))
    unheard = await notifier.book(patient)

    async with running(notifier, *LANES) as service:
        await until(lambda: _waits(service))
        reasons = service.health.reasons()

    assert "differ" in reasons["clocks"]
    assert await notifier.row(unheard, "confirmation") is None
    assert notifier.carriers.asked == []


async def _waits(service: Service) -> bool:
    assert service.consumer is not None
    return "differ" in (service.consumer.reason() or "")
