"""`attend demo`: real formats first, then a clinic week, then expected against actual."""

import asyncio
import contextlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from chassis.process import clock
from chassis.process.errors import AttendError
from chassis.process.terminal import show_all
from stack.demo import by_clinic, clearing, fhir, people, view
from stack.demo.attendance import statuses_at
from stack.demo.client import Client
from stack.demo.commands import Commands
from stack.demo.comparison import compare
from stack.demo.drive import Driver
from stack.demo.expectation import Facts, expect
from stack.demo.found import check_ins_of, find, work_list_of
from stack.demo.installation import Installation
from stack.demo.let_in import at_the_desk, with_the_desk
from stack.demo.play import Play
from stack.demo.watch import watched
from stack.demo.week import VISIT_DAYS, Week, write_week
from stack.folders import home_folder
from stack.home import Home
from stack.leftovers import end_leftovers
from stack.state import PartState, read_state
from stack.supervisor import System

SEED = 7
STORIES = {
    "all well": "THAMES-003",
    "fallen back to SMS: WhatsApp refuses the number": f"THAMES-{people.NO_WHATSAPP[0]:03d}",
    "got nothing: the number is dead, and there is no address": f"THAMES-{people.UNREACHABLE[0]:03d}",
    "cleared in time, and checked in": clearing.name_of(f"THAMES-{clearing.IN_TIME:03d}"),
    "not cleared, and checked in all the same": clearing.name_of(f"THAMES-{clearing.OVERRIDDEN:03d}"),
    "signed, withdrawn, and turned away": clearing.name_of(f"THAMES-{clearing.WITHDRAWS:03d}"),
    "told by SMS what it lacks: WhatsApp has no words for it": clearing.name_of(f"THAMES-{clearing.PAYS_AT_DESK:03d}"),
    "over MLLP, and another number in the middle of the week": f"HARBOR-{people.NEW_NUMBER[0]:03d}",
}
"""Visits whose timelines are worth a look."""

GRAIN = timedelta(minutes=5)
"""Everything in the week is due on full or half hours; what waits or is tried again may do so a little longer."""

SETTINGS = {"NOTIFIER_BREAKER_OPEN_S": "0.5", "BOOKING_MLLP_CLIENT": people.MLLP_CLIENT}
"""A breaker rests in machine time, and here a day is a few seconds. What comes over MLLP is one client's."""
WIDTH = 130
"""Columns where there is no terminal, so that a log shows whole words."""


def demo(samples: Path | None, keep: bool, fast: bool) -> int:
    """Run the demo on an installation of its own and return the exit code: 0 only if everything agrees."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    began = time.monotonic()
    week = write_week(SEED, clock.RealClock().now().date())
    try:
        with _installation(console, home_folder() / "demo", week) as installation:
            console.print(f"all processes ready after {time.monotonic() - began:.1f} s")
            commands = Commands(home_folder() / "demo")
            agreed = asyncio.run(_play(console, installation, commands, week, samples, fhir_first=not fast))
            console.print(
                f"[bold]{'everything agrees' if agreed else 'NOT everything agrees'}[/bold], "
                f"{time.monotonic() - began:.1f} s in all"
            )
            if keep:
                _stay(console)
    except AttendError as error:
        console.print(f"[red]{error}[/red]")
        return 2
    return 0 if agreed else 1


@contextmanager
def _installation(console: Console, folder: Path, week: Week) -> Iterator[Installation]:
    """Start a fresh installation whose clock stands at the opening of the week."""
    home = Home(folder)
    with home.held():  # or say who runs there
        if left := read_state(home.state):
            end_leftovers(left)
        home.remove()
    folder.mkdir(parents=True, exist_ok=True)
    clock_file = folder / "clock.json"
    clock.step(clock_file, week.opens_at)
    with console.status("starting") as status:

        def report(part: PartState) -> None:
            status.update(f"starting: {part.name} {part.state} {part.detail}")

        system = System(folder, sinks=True, clock_file=clock_file, report=report, env=SETTINGS)
        system.start()
    try:
        yield Installation(system.urls, system.operations_urls, system.key, system.operator_key, clock_file)
    finally:
        system.stop()


async def _play(
    console: Console,
    installation: Installation,
    commands: Commands,
    week: Week,
    samples: Path | None,
    *,
    fhir_first: bool,
) -> bool:
    async with Client(installation) as client:
        driver, play = Driver(client, installation, grain=GRAIN), Play(client, week)
        driver.step(week.opens_at)
        posted = await fhir.show(console, client, driver, samples) if fhir_first else fhir.Posted()
        console.print(
            f"\n[bold]A clinic week[/bold], {week.day0:%A %d %B %Y} and on: {len(week.patients)} patients, 3 clinics, "
            f"{len(week.changes)} events. The clocks change in it; domain time is stepped."
        )
        await play.enter_clinics()
        said = await commands.make_sources_known()
        async with watched(console, client, driver, play):
            await play.register()
            imported, wrong = await commands.bring_in(week.history, client, play.names)
            play.surprises += wrong
            for line in (*said, imported):
                console.print(line, highlight=False)
            await play.misbehave()
            await driver.run_until(max(week.ends_at, posted.last_start or week.ends_at), play.actions())
            await play.learn_strangers()
        expected, found = await _both(client, driver, week, play, posted)
    rows = compare(expected, found)
    show_all(console, view.verdict(rows, play.surprises).renderables)
    show_all(console, [view.clinics(by_clinic.rows(by_clinic.feeds_of(week, posted.changes), expected, found))])
    console.print(
        f"{driver.steps} instants, {play.posted} events, {play.messages} messages of HL7 v2, "
        f"{play.refused} bad messages refused, each with its own code"
    )
    known = {what: play.names.appointments[name] for what, name in STORIES.items()}
    day = week.day0 + timedelta(days=VISIT_DAYS[0])
    console.print(view.what_to_try(installation.urls, installation.operations_urls, known, day), soft_wrap=True)
    return all(row.agrees for row in rows) and not play.surprises


async def _both(client: Client, driver: Driver, week: Week, play: Play, posted: fhir.Posted) -> tuple[Facts, Facts]:
    """Return what was to come of everything, and what did."""
    until = driver.now or week.ends_at
    expected = expect(week, until)
    expected.add(posted.expected(until))
    told = with_the_desk(week.changes, week.acts)
    expected.visits = statuses_at([*posted.changes, *week.history, *told], until)
    play.names.add(posted.names)
    return expected, await found_of(client, week, play)


async def found_of(client: Client, week: Week, play: Play) -> Facts:
    """Return every fact about what was played."""
    found = await find(client, play.names)
    came = {one.act.appointment for one in at_the_desk(week.changes, week.acts).answers}
    found.check_ins = play.turned_away + await check_ins_of(client, play.names, came)
    found.work_list = await work_list_of(client, play.names, clearing.CLINIC)
    return found


def _stay(console: Console) -> None:
    console.print("everything keeps running: Ctrl-C stops it")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(1)
