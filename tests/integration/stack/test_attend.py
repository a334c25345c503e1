"""`attend up | status | down` as a person runs it, with one service for speed and then with all of them."""

import json
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from stack import probe, services
from stack.layout import python
from stack.postgres import Postgres
from stack.process import ProcessId
from tests.integration.stack.attend import Attend, cleaned_up, until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


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
    assert "no service 'recods': one of booking, booking-mllp, records" in attend("up", "--only", "recods", code=1)


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
            if service.protocol == "http" and part.url:
                assert probe.get(part.url + path)[0] == 404, (service.name, path)


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
