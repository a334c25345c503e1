"""What becomes of the door when a part beside it fails: it stays open, and says which part is not ready (0019)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from tests.support.booking.door import Door, booking
from tests.support.waiting import until


@asynccontextmanager
async def whole(door: Door) -> AsyncIterator[asyncio.Task[None]]:
    """Run all parts of the process while the block runs."""
    ports = {"http_port": 0, "operations_port": 0}
    service = replace(door.service, settings=door.service.settings.model_copy(update=ports))
    stop = asyncio.Event()
    running = asyncio.create_task(service.run(stop))
    try:
        yield running
    finally:
        stop.set()
        await running


async def reasons(door: Door) -> dict[str, str]:
    found: dict[str, str] = (await door.look("/health/ready")).json()["reasons"]
    return found


async def test_the_door_takes_bookings_while_the_consumer_fails_which_comes_back_by_itself(served: Door) -> None:
    await served.pool.execute("INSERT INTO kafka_cluster (cluster_id) VALUES ('another')")
    async with whole(served) as running:
        await until(lambda: _fails(served))

        assert (await served.post(booking("e1")))["result"] == "applied"
        assert (await served.look("/health/live")).status_code == 200
        assert not running.done()

        await served.pool.execute("DELETE FROM kafka_cluster")
        await until(lambda: _all_ready(served))


async def _fails(door: Door) -> bool:
    return "another" in (await reasons(door)).get("part consumer", "")


async def _all_ready(door: Door) -> bool:
    return not await reasons(door)
