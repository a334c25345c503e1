"""Keeps the live table up to date while the week plays."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from rich.console import Console
from rich.live import Live

from stack.demo import acceptances, view
from stack.demo.client import Client, Refused
from stack.demo.drive import Driver
from stack.demo.installation import SERVICES
from stack.demo.play import Play

EVERY_S = 1.0
"""A look costs seven calls, a few milliseconds each."""


@asynccontextmanager
async def watched(console: Console, client: Client, driver: Driver, play: Play) -> AsyncIterator[None]:
    """Show the live table while the block runs; without a terminal nothing is shown."""
    if not console.is_terminal:
        yield
        return
    with Live(console=console, refresh_per_second=4) as screen:
        looking = asyncio.create_task(_look(screen, client, driver, play))
        try:
            yield
            await _once(screen, client, driver, play)
        finally:
            looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looking


async def _look(screen: Live, client: Client, driver: Driver, play: Play) -> None:
    while True:
        with contextlib.suppress(Refused, httpx2.HTTPError):  # one look less
            await _once(screen, client, driver, play)
        await asyncio.sleep(EVERY_S)


async def _once(screen: Live, client: Client, driver: Driver, play: Play) -> None:
    statuses = {name: await client.status(name) for name in SERVICES}
    accepted = acceptances.by_channel(await client.accepted())
    counts = {
        "instants stepped": driver.steps,
        "patients registered": len(play.names.patients),
        "events posted": play.posted,
        "appointments": len(play.names.appointments),
        "bad messages refused": play.refused,
        **{f"accepted by the carrier: {channel}": accepted[channel] for channel in ("email", "sms", "whatsapp")},
    }
    screen.update(view.stages(driver.now, counts, statuses))
