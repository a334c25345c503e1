"""Booking as it is put together decides nothing while PostgreSQL's clock is another than its own (design §7)."""

from collections.abc import AsyncIterator
from datetime import timedelta

import orjson
import pytest

from chassis.process.errors import Unavailable
from tests.support.booking.door import Door, booking, opened_on_kafka, running, send_inbound
from tests.support.database_clock import shift
from tests.support.installation import Installation
from tests.support.waiting import until


@pytest.fixture
async def doubtful(installation: Installation) -> AsyncIterator[Door]:
    """Give a whole service that starts while the clocks differ."""
    async with opened_on_kafka(installation) as door:
        await shift(installation.admin_url, timedelta(hours=4, minutes=40))
        await door.service.pool.expire_connections()
        await door.service.clocks.compare()
        yield door


async def test_neither_door_nor_topic_nor_any_job_decides_by_a_clock_that_nobody_agrees_with(
    doubtful: Door, installation: Installation
) -> None:
    before = await doubtful.counts()

    answer = await doubtful.ask("POST", "/v1/events", booking())
    await send_inbound(installation, ("v2", orjson.dumps(booking("e2", "v2"))))
    async with running(doubtful):
        await until(lambda: _waits(doubtful))

    assert (answer.status_code, answer.json()["code"]) == (503, "CLOCKS_DIFFER")
    assert "differ" in (await doubtful.look("/health/ready")).json()["reasons"]["clocks"]
    no_shows, _ = doubtful.service.runners
    with pytest.raises(Unavailable, match="CLOCKS_DIFFER"):
        await no_shows.round()
    assert await doubtful.counts() == {**before, "outbox": 0}  # of the clinic that was entered before


async def _waits(door: Door) -> bool:
    return "differ" in (door.service.consumer.reason() or "")
