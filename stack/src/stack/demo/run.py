"""`attend demo`: real formats first, then a clinic week, then expected against actual."""

import asyncio
import contextlib
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from chassis.errors import AttendError
from rich.console import Console
from rich.live import Live

from chassis import clock
from stack.demo import acceptances, fhir, view
from stack.demo.client import Client
from stack.demo.comparison import Row, compare
from stack.demo.drive import Driver
from stack.demo.expectation import Facts, expect
from stack.demo.found import find
from stack.demo.installation import SERVICES, Installation
from stack.demo.play import Play
from stack.demo.week import Week, write_week
from stack.folders import home_folder
from stack.supervisor import System

SEED = 7
REFRESH_EVERY = 5
"""Instants between two looks at /status for the live table: a look costs six calls."""


def demo(samples: Path | None, keep: bool, fast: bool) -> int:
    """Run the demo on an installation of its own and return the exit code: 0 only if everything agrees.

    Args:
        samples: A folder of FHIR messages instead of the project's own examples.
        keep: Leave the installation running until Ctrl-C.
        fast: Without the live table.
    """
    console = Console()
    began = time.monotonic()
    home = home_folder() / "demo"
    try:
        with _installation(console, home) as (system, week):
            console.print(f"all processes ready after {time.monotonic() - began:.1f} s")
            agreed = asyncio.run(_play(console, system, week, samples, live=not fast and console.is_terminal))
            console.print(f"demo took {time.monotonic() - began:.1f} s in all")
            if keep:
                _stay(console, system)
    except AttendError as error:
        console.print(f"[red]{error}[/red]")
        return 2
    return 0 if agreed else 1


@contextmanager
def _installation(console: Console, home: Path) -> Iterator[tuple[System, Week]]:
    """Start a fresh installation whose clock stands at the opening of the week."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    week = write_week(SEED, clock.RealClock().now().date())
    clock_file = home / "clock.json"
    clock.step(clock_file, week.opens_at)
    with console.status("starting") as status:

        def report(part: str, state: str) -> None:
            status.update(f"starting: {part} {state}")

        system = System(home, sinks=True, clock_file=clock_file, report=report)
        system.start()
    try:
        yield system, week
    finally:
        console.print("stopping")
        system.stop()


async def _play(console: Console, system: System, week: Week, samples: Path | None, *, live: bool) -> bool:
    installation = Installation(
        urls={name: system.urls[name] for name in SERVICES},
        key=system.key,
        clock_file=system.clock_file,
        acceptance_logs=(system.accepted_log,),
    )
    async with Client(installation) as client:
        driver = Driver(client, installation)
        driver.step(week.opens_at)
        posted = await fhir.show(console, client, driver, installation, samples)
        play = Play(client, week)
        console.print(
            f"[bold]A clinic week[/bold] from {week.day0:%A %d %B %Y}: {len(week.patients)} patients, "
            f"{len(week.changes)} events; the clocks change in it. Domain time is stepped."
        )
        await play.register()
        await play.misbehave()
        await _drive(console, client, driver, installation, week, play, live=live)
        await play.learn_strangers()
        rows = await _verdict(client, installation, week, play, posted)
    console.print(view.verdict(rows, play.surprises))
    console.print(
        f"{driver.steps} instants, {play.posted} events, {play.refused} bad messages refused with their codes"
    )
    console.print(view.what_to_try(system.urls, system.key, next(iter(play.names.appointments.items()))))
    return all(row.agrees for row in rows) and not play.surprises


async def _drive(
    console: Console, client: Client, driver: Driver, installation: Installation, week: Week, play: Play, *, live: bool
) -> None:
    statuses: dict[str, dict[str, object]] = {name: {} for name in SERVICES}
    with Live(console=console, refresh_per_second=8) if live else contextlib.nullcontext() as screen:

        def seen(now: datetime) -> None:
            if screen:
                screen.update(view.stages(now, _counts(installation, play, driver), statuses))

        async def look() -> None:
            while True:
                for name in SERVICES:
                    statuses[name] = await client.status(name)
                await asyncio.sleep(1)

        looking = asyncio.create_task(look()) if live else None
        try:
            await driver.run_until(week.ends_at, play.actions(), seen)
        finally:
            if looking:
                looking.cancel()


def _counts(installation: Installation, play: Play, driver: Driver) -> dict[str, int]:
    accepted: Counter[str] = acceptances.by_channel(acceptances.read(installation.acceptance_logs))
    return {
        "instants stepped": driver.steps,
        "patients registered": len(play.names.patients),
        "events posted": play.posted,
        "appointments": len(play.names.appointments),
        "bad messages refused": play.refused,
        **{f"accepted: {channel}": accepted[channel] for channel in ("email", "sms", "whatsapp")},
    }


async def _verdict(
    client: Client, installation: Installation, week: Week, play: Play, posted: fhir.Posted
) -> list[Row]:
    expected: Facts = expect(week)
    expected.add(posted.expected)
    play.names.add(posted.names)
    return compare(expected, await find(client, installation, play.names))


def _stay(console: Console, system: System) -> None:
    console.print("everything keeps running: Ctrl-C stops it")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(1)
