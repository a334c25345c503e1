"""`attend up` and `attend down`."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from chassis.process.errors import AttendError
from chassis.process.terminal import show_all
from stack import services
from stack.folders import home_folder
from stack.home import AlreadyRunning, Home
from stack.layout import administrator_url, python
from stack.leftovers import clear_away
from stack.state import State, read_state
from stack.view import Lines, following, parts_table, summary

DOWN_TIMEOUT_S = 90
_FOLLOW_S = 0.1

SinksOption = Annotated[bool, typer.Option("--sinks/--no-sinks", help="Send messages to local stand-ins for carriers.")]
DetachOption = Annotated[bool, typer.Option("--detach", "-d", help="Give the terminal back once everything is ready.")]
ClockOption = Annotated[
    Path | None,
    typer.Option(help="File with the stepped domain time that all services read.", envvar="ATTEND_CLOCK_FILE"),
]

OnlyOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SERVICE", help="Run this service and not the others; may be repeated. They are yours to run."
    ),
]


@dataclass(frozen=True)
class Wishes:
    """What the options of `attend up` say."""

    sinks: bool
    clock_file: Path | None
    only: tuple[str, ...]

    def as_options(self) -> list[str]:
        """Return the options again, for the supervisor in the background."""
        options = ["--sinks" if self.sinks else "--no-sinks"]
        options += ["--clock-file", str(self.clock_file.absolute())] if self.clock_file else []
        return options + [word for name in self.only for word in ("--only", name)]


def up(
    detach: DetachOption = False,
    sinks: SinksOption = True,
    clock_file: ClockOption = None,
    only: OnlyOption = None,
) -> None:
    """Start the whole system on this machine and keep it running.

    Kafka, PostgreSQL, topics, schemas, then every service as a process of its own, all on 127.0.0.1. Everything is
    kept below one folder: ATTEND_HOME, else ./.attend. KAFKA_BOOTSTRAP_SERVERS and DATABASE_ADMIN_URL make it use
    servers that run already.
    """
    console = Console()
    home = Home(home_folder())
    wishes = Wishes(sinks, clock_file, tuple(only or ()))
    services.named(wishes.only)
    if home.is_held:
        _say_what_runs(console, home)
        return
    if found := clear_away(home):
        console.print(f"Ended what a killed run had left: {', '.join(found)}.", soft_wrap=True, highlight=False)
    if detach:
        _start_behind(console, home, wishes)
    else:
        _run_here(console, home, wishes)


def down() -> None:
    """Stop what `attend up` started, in order; also what a killed one left behind."""
    console = Console()
    home = Home(home_folder())
    state = read_state(home.state)
    if not home.folder.exists():
        console.print("Nothing runs.")
        return
    if not home.is_held:
        found = clear_away(home)
        console.print(f"Ended what a killed run had left: {', '.join(found)}." if found else "Nothing runs.")
        return
    if state and (supervisor := state.supervisor.find()):
        supervisor.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + DOWN_TIMEOUT_S
    while home.is_held or (state and state.supervisor.find()):
        if time.monotonic() > deadline:
            raise AttendError("STILL_RUNNING", f"the supervisor did not stop in {DOWN_TIMEOUT_S} s: see {home.logs}")
        time.sleep(_FOLLOW_S)
    console.print("Stopped.")


def _run_here(console: Console, home: Home, wishes: Wishes) -> None:
    """Supervise in this process until Ctrl-C, SIGTERM or the end of the terminal."""
    from stack.supervisor import System  # a second of imports that the other commands need not pay for

    lines = Lines(console, silent=console.is_terminal)
    system = System(
        home.folder,
        sinks=wishes.sinks,
        clock_file=wishes.clock_file,
        run=services.named(wishes.only),
        kafka_bootstrap=os.environ.get("KAFKA_BOOTSTRAP_SERVERS"),
        database_admin_url=administrator_url(),
        report=lines,
        restart_servers=True,
    )
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with following(console, lambda: system.state):
            system.start()
        lines.silent = False
        if system.state:
            console.print(summary(system.state, foreground=True), soft_wrap=True, highlight=False)
        while True:
            signal.pause()
    except AlreadyRunning:
        _say_what_runs(console, home)
    except KeyboardInterrupt:
        console.print("Stopping: services first, then PostgreSQL, then Kafka.")
        system.stop()
        console.print("Stopped.")


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Stop once; a second Ctrl-C does not break off the stop."""
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt


def _start_behind(console: Console, home: Home, wishes: Wishes) -> None:
    """Start a supervisor in the background and follow it until everything is ready."""
    home.make()
    log = home.log_of("supervisor")
    command = python("-m", "stack", "up", *wishes.as_options())
    environment = {**os.environ, "ATTEND_HOME": str(home.folder)}
    with log.open("ab") as output:
        supervisor = subprocess.Popen(  # noqa: S603  # our own command
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )

    def state() -> State | None:
        found = read_state(home.state)
        return found if found and found.supervisor.pid == supervisor.pid else None

    lines = Lines(console)
    with following(console, state):
        while not ((seen := state()) and seen.phase == "ready") and supervisor.poll() is None:
            if not console.is_terminal:
                lines.all_of(seen)
            time.sleep(_FOLLOW_S)
    seen = state()
    if supervisor.poll() is not None or seen is None:
        why = seen.error if seen and seen.error else f"see {log}"
        raise AttendError("START_FAILED", f"the system did not start: {why}")
    if not console.is_terminal:  # where the live table stands
        show_all(console, [parts_table(seen)])
    console.print(summary(seen, foreground=False), soft_wrap=True, highlight=False)


def _say_what_runs(console: Console, home: Home) -> None:
    state = read_state(home.state)
    console.print(f"Already running on {home.folder}.", soft_wrap=True, highlight=False)
    show_all(console, [parts_table(state)])
