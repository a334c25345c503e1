"""A booking door that is heard at a port, for commands that speak to it as from another machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from structlog.testing import capture_logs

from chassis.api.app import serve
from stack.ports import free_port
from tests.support.booking.door import Door
from tests.support.waiting import until


@asynccontextmanager
async def heard(door: Door) -> AsyncIterator[str]:
    """Serve a door in this test's loop for the block, and give its address; what it logs is apart from a command's."""
    port, stop = free_port(), asyncio.Event()
    with capture_logs():  # this process's stdout is the command's
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(serve(door.api, "127.0.0.1", port, stop))
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
                await until(lambda: _answers(http))
                yield str(http.base_url)
            stop.set()


async def _answers(http: httpx2.AsyncClient) -> bool:
    try:
        return (await http.get("/v1/sources/local/profile")).status_code == 401
    except httpx2.TransportError:
        return False
