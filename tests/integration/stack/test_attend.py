"""`attend up | status | down` as a person runs it, with one service for speed and then with all of them."""

import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from stack import probe, services
from stack.home import Home
from stack.layout import python
from stack.postgres import Postgres
from stack.process import ProcessId
from stack.state import State, read_state
from tests.integration.stack.readme import QuickStart

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


class Attend:
    """The command on a folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home = Home(home)
        unwanted = ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_ADMIN_URL", "DATABASE_URL", "ATTEND_TOPIC_PREFIX")
        self.env = {name: value for name, value in os.environ.items() if name not in unwanted}
        self.env["ATTEND_HOME"] = str(home)

    def __call__(self, *words: str, code: int = 0, env: Mapping[str, str] | None = None) -> str:
        """Run `attend <words>`, expect the exit code and return what it printed."""
        return self.run("stack", *words, code=code, env=env)

    def run(self, package: str, *words: str, code: int = 0, env: Mapping[str, str] | None = None) -> str:
        """Run `python -m <package> <words>` likewise."""
        command, settings = python("-m", package, *words), {**self.env, **(env or {})}
        done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=180, check=False)  # noqa: S603
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    @property
    def state(self) -> State:
        """What the supervisor recorded."""
        state = read_state(self.home.state)
        assert state is not None
        return state

    def processes(self) -> list[ProcessId]:
        """Return every recorded process, the supervisor first."""
        return [self.state.supervisor, *(part.process for part in self.state.parts if part.process)]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attend]:
    """Run everything, once for all tests that look at it; the last of them stops it."""
    with cleaned_up(tmp_path_factory.mktemp("running") / "home") as command:
        command("up", "--detach")
        yield command


@pytest.fixture
def attend(tmp_path: Path) -> Iterator[Attend]:
    """Give the command on a folder where nothing runs; whatever it left running is stopped."""
    with cleaned_up(tmp_path / "home") as command:
        yield command


@contextmanager
def cleaned_up(home: Path) -> Iterator[Attend]:
    command = Attend(home)
    try:
        yield command
    finally:
        command("down")
        command("reset", "--yes")


class Foreground:
    """`attend up` with one service, as it runs in a terminal of its own."""

    def __init__(self, attend: Attend) -> None:
        self._output = attend.home.folder.with_suffix(".out")
        command = python("-m", "stack", "up", "--only", "records")
        with self._output.open("w") as stream:
            self.process = subprocess.Popen(command, env=attend.env, stdout=stream, stderr=stream)  # noqa: S603
        until(lambda: "Ready in" in self.output)

    @property
    def output(self) -> str:
        """What it printed so far."""
        return self._output.read_text()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_a_killed_supervisor_left_is_ended_by_the_next_up_which_ctrl_c_stops_in_order(attend: Attend) -> None:
    first = Foreground(attend)
    left, ports = attend.processes(), [(part.url, part.operations_url) for part in attend.state.parts]
    first.process.kill()
    first.process.wait()

    second = Foreground(attend)

    assert "Ended what a killed run had left: records, sinks, postgres, kafka." in second.output
    assert not any(process.find() for process in left)
    assert [(part.url, part.operations_url) for part in attend.state.parts] == ports, "its ports were free again"
    assert {part.state for part in attend.state.parts} == {"ready"}

    running = attend.processes()
    second.process.send_signal(signal.SIGINT)

    assert second.process.wait(timeout=120) == 0
    stopped = [line.split()[2] for line in second.output.splitlines() if " stopped " in line]
    assert stopped == ["records", "sinks", "postgres", "kafka"]
    assert not any(process.find() for process in running)


def test_a_second_up_says_what_runs_and_starts_nothing(running: Attend) -> None:
    before = running.processes()

    said = running("up")

    assert "Already running" in said
    assert all(name in said for name in ("kafka", "postgres", "records", "notifier"))
    assert running.processes() == before


def test_topics_plan_changes_nothing_and_apply_can_be_repeated(running: Attend) -> None:
    other = {"ATTEND_TOPIC_PREFIX": "other."}

    planned = running("topics", "plan", env=other)
    assert "+ other.appointments: 12 partitions, delete" in planned
    assert running("topics", "plan", env=other) == planned, "a plan changes nothing"
    assert "Applied." in running("topics", "apply", env=other)
    assert "Nothing to do." in running("topics", "apply", env=other)
    assert "No differences." in running("topics", "plan", env=other)


def test_a_service_refuses_to_start_without_its_topics_and_says_how_to_mend_it(running: Attend) -> None:
    said = running.run("records", "run", code=78, env=settings_of_records(running, ATTEND_TOPIC_PREFIX="never-made."))

    assert "never-made." in said
    assert "attend topics apply" in said


async def test_a_service_refuses_to_start_on_an_older_schema_and_says_how_to_mend_it(running: Attend) -> None:
    async with newest_migration_forgotten(running, "records"):
        said = running.run("records", "run", code=78, env=settings_of_records(running))

    assert "schema records lacks migration" in said
    assert "attend migrate" in said


@asynccontextmanager
async def newest_migration_forgotten(attend: Attend, schema: str) -> AsyncIterator[None]:
    """Make the database say that it never saw the newest migration, while the block runs."""
    port = int(next(part.url for part in attend.state.parts if part.name == "postgres").split("/")[0].split(":")[1])
    connection = await asyncpg.connect(Postgres(attend.home.postgres, port).url())
    table = f"{schema}.schema_migration"
    newest = f"DELETE FROM {table} WHERE name = (SELECT max(name) FROM {table}) RETURNING name, sha256"  # noqa: S608
    try:
        forgotten = await connection.fetchrow(newest)
        assert forgotten is not None
        yield
        await connection.execute(f"INSERT INTO {table} (name, sha256) VALUES ($1, $2)", *forgotten)  # noqa: S608
    finally:
        await connection.close()


def settings_of_records(attend: Attend, **more: str) -> dict[str, str]:
    """Return what records runs with on the running system."""
    places = {part.name: part.url for part in attend.state.parts}
    login = f"attend_records:{attend.home.secrets.passwords['records']}"
    url = f"postgresql://{login}@{places['postgres']}"
    return {"KAFKA_BOOTSTRAP_SERVERS": places["kafka"], "RECORDS_DATABASE_URL": url, **more}


def test_status_and_logs_need_something_that_runs_and_say_so(attend: Attend) -> None:
    assert "attend up" in attend("status", code=1)
    assert "attend up" in attend("logs", code=1)
    assert "attend up" in attend("key", code=1)


def test_an_unknown_service_is_named_with_the_known_ones(attend: Attend) -> None:
    assert "no service 'recods': one of booking, records" in attend("up", "--only", "recods", code=1)


def test_everything_runs_ready_on_loopback_with_its_secrets_kept(running: Attend) -> None:
    shown = {row["part"]: row for row in json.loads(running("status", "--json"))["parts"]}
    assert {row["state"] for row in shown.values()} == {"ready"}
    assert set(shown) == {"kafka", "postgres", "sinks", *(service.name for service in services.ALL)}
    for package in ("booking", "records", "notifier"):
        assert shown[package]["outbox_age_s"] is not None
    assert shown["records"]["parked"] == 0
    assert shown["notifier"]["unknown"] == 0
    assert addresses_of(running.processes()) <= {"127.0.0.1"}
    assert running("key").strip() == running.home.secrets.key
    assert running("key", "--operator").strip() == running.home.secrets.operator_key != running.home.secrets.key
    assert "local" in running("clients", "list")
    assert "no dead letters" in running("dead-letters", "list", "records")
    assert "up to date" in running("migrate", "--plan")
    assert "0 visits at 0 clinics; nothing was changed" in running("no-show", "--dry-run")
    for package in services.PACKAGES:
        assert "would go" in running("retention", package, "--dry-run")
    assert running.home.secrets.key not in running.home.state.read_text()
    assert running.home.secrets.operator_key not in running.home.state.read_text()


def test_how_a_part_is_is_told_at_its_own_port_and_not_at_that_of_its_api(running: Attend) -> None:
    parts = {part.name: part for part in running.state.parts}
    for service in services.ALL:
        part = parts[service.name]
        assert bool(part.url) == (service.port is not None)
        for path in ("/health/live", "/health/ready", "/status", "/metrics", "/clock", "/docs", "/openapi.json"):
            assert probe.get(part.operations_url + path)[0] == 200, (service.name, path)
            if part.url:
                assert probe.get(part.url + path)[0] == 404, (service.name, path)


def test_the_quick_start_of_the_readme_does_what_it_says(running: Attend) -> None:
    parts = {part.name: part.url for part in running.state.parts}
    ports = {"booking": 8100, "records": 8101, "reminders-api": 8102, "notifier": 8103, "sinks": 8126}
    urls = {f"http://127.0.0.1:{port}": parts[name] for name, port in ports.items()}
    readme = QuickStart(running("key").strip(), running("key", "--operator").strip(), urls)

    *_, booked = map(json.loads, readme.run(0).splitlines())
    assert (booked["result"], booked["warnings"]) == ("applied", [])

    def all_that_follows_is_there() -> bool:
        visit, files, reminders, notifications, *accepted = readme.run(1, id_=booked["appointment_id"]).splitlines()
        assert json.loads(visit)["status"] == "booked"
        told = {(one["kind"], one["state"]) for one in json.loads(notifications)["items"]}
        return (
            [one["number"][-10:] for one in json.loads(files)["items"]] == ["-CARDIO-01"]
            and [one["status"] for one in json.loads(reminders)["items"]] == ["SCHEDULED"] * 2
            and told == {("provider-booked", "accepted"), ("confirmation", "accepted")}
            and "amina@example.org" in "".join(accepted)
        )

    until(all_that_follows_is_there)
    assert "The patient got: confirmation by email" in running("why", "local:visit-1")
    the_sub_file_is_closed_and_reopened(running, booked["appointment_id"])
    assert "attend-result: applied" in readme.run(2)
    assert json.loads(readme.run(3))["clinic_id"] == "UEC"


def the_sub_file_is_closed_and_reopened(running: Attend, appointment_id: str) -> None:
    [file] = json.loads(running("sub-files", "list", "--appointment", appointment_id, "--json"))["items"]
    named = (file["sub_file_id"], "--reason", "treatment ended", "--by", "A. Abara")
    assert "CLOSED, provider" in running("sub-files", "close", *named)
    assert "(was so already)" in running("sub-files", "close", *named)
    assert "a closed file keeps its provider" in running("sub-files", "provider", *named, code=1)
    assert "ACTIVE" in running("sub-files", "reopen", *named)
    assert "treatment ended" in running("sub-files", "history", file["sub_file_id"])


def addresses_of(identities: list[ProcessId]) -> set[str]:
    """Return the addresses on which the processes, and those below them, listen."""
    found: set[str] = set()
    for identity in identities:
        process = identity.find()
        assert process is not None
        for one in (process, *process.children(recursive=True)):
            listening = [c for c in one.net_connections("inet") if c.status == psutil.CONN_LISTEN]
            found |= {connection.laddr.ip.removeprefix("::ffff:") for connection in listening}
    return found


def test_down_ends_everything_that_up_started(running: Attend) -> None:
    started = running.processes()

    assert "Stopped." in running("down")
    assert not any(process.find() for process in started)
    assert "Nothing runs." in running("down")
