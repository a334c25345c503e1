"""Keeps the live table up to date while the week plays."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from rich.console import Console
from rich.live import Live

from stack.demo import found as acceptances
from stack.demo import view
from stack.demo.client import Client, Refused
from stack.demo.drive import Driver
from stack.demo.installation import SERVICES
from stack.demo.play import Play

EVERY_S = 1.0
"""A look costs seven calls, a few milliseconds each."""


@asynccontextmanager
async def watched(console: Console, client: Client, driver: Driver, play: Play) -> AsyncIterator[None]:
    """Show the live table while the block runs; without a terminal, one line for each day of the week."""
    if not console.is_terminal:
        looking = asyncio.create_task(_tell_days(console, client, driver, play))
        try:
            yield
        finally:
            await _end(looking)
        return
    with Live(console=console, refresh_per_second=4) as screen:
        looking = asyncio.create_task(_look(screen, client, driver, play))
        try:
            yield
            await _once(screen, client, driver, play)
        finally:
            await _end(looking)


async def _look(screen: Live, client: Client, driver: Driver, play: Play) -> None:
    while True:
        with contextlib.suppress(Refused, httpx2.HTTPError):  # one look less
            await _once(screen, client, driver, play)
        await asyncio.sleep(EVERY_S)


async def _tell_days(console: Console, client: Client, driver: Driver, play: Play) -> None:
    day = None
    while True:
        if driver.now and driver.now.date() != day:
            day = driver.now.date()
            counts = ", ".join(f"{name} {count}" for name, count in (await _counts(client, driver, play)).items())
            console.print(f"{day:%a %d %b}: {counts}", highlight=False)
        await asyncio.sleep(EVERY_S)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _once(screen: Live, client: Client, driver: Driver, play: Play) -> None:
    statuses = {name: await client.status(name) for name in SERVICES}
    screen.update(view.stages(driver.now, await _counts(client, driver, play), statuses))


async def _counts(client: Client, driver: Driver, play: Play) -> dict[str, int]:
    accepted = acceptances.by_channel(await client.accepted())
    return {
        "instants": driver.steps,
        "patients": len(play.names.patients),
        "events": play.posted,
        "messages": play.messages,
        "appointments": len(play.names.appointments),
        "refused": play.refused,
        **{channel: accepted[channel] for channel in ("email", "sms", "whatsapp")},
    }
