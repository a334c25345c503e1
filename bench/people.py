"""`python -m bench.people`: how fast patients are registered, whatever the number of those who are (D4)."""

import asyncio
import contextlib
import multiprocessing
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import orjson
import psutil
import typer
import uvloop
from pydantic import SecretStr

from bench.harness import Report, figure, percentile, until
from booking.appointments.counts import AnswerCounts
from booking.door import client_keys
from booking.door.domain import Client
from booking.door.transactions import Transactions
from booking.settings import Settings
from booking.wiring import POOL_SIZE, door
from chassis.api.server import serve
from chassis.postgres.database import Connection, create_pool
from chassis.postgres.migrator import migrate
from chassis.process import logs
from chassis.process.clock import RealClock
from chassis.process.lifecycle import calm_collector
from chassis.process.metrics import Metrics
from stack.postgres import Postgres

NAME = "people"
KEY = "the key of the benchmark's client, long enough"
PASSWORD = "bench"  # noqa: S105 - of a role on a server that lives as long as the run
CALLERS = 8
BATCH = 1_000
AIM_PER_S = 1_000
BEFORE_MS = {100_000: 110, 600_000: 1_000}
"""Of one registration when each read all main files of the year, under the counter's lock."""
HELD = (0, 100_000, 1_000_000)
MOST_OF_A_YEAR = 970_000
LONGEST_START_S = 60

_FILL = """
INSERT INTO booking.patient (patient_id, version, main_file, given_name, family_name)
SELECT uuidv7(), 1, 'FILE-' || (2000 + n / 999999) || '-' || lpad((n % 999999 + 1)::text, 6, '0'), 'Given', 'Family'
FROM generate_series($1::int, $2::int - 1) n
"""
_FILL_YEAR = """
INSERT INTO booking.patient (patient_id, version, main_file, given_name, family_name)
SELECT uuidv7(), 1, 'FILE-' || $1::text || '-' || lpad(n::text, 6, '0'), 'Given', 'Family'
FROM generate_series($2::int, $3::int) n
"""


def patient(name: str) -> dict[str, str]:
    """Return a body with all that is checked of a patient."""
    return {
        "given_name": "Amina", "family_name": f"Kimathi {name}", "mobile": "+447700900123",
        "email": f"{name}@example.org", "language": "en",
    }  # fmt: skip


class Caller:
    """One connection that asks and waits for its answer; as little CPU as can be, for the server has the same cores."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def of(cls, port: int) -> "Caller":
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def put(self, path: str, body: object) -> Any:
        """Put, and return the answer's JSON; anything but 200 ends the run."""
        content = orjson.dumps(body)
        head = (
            f"PUT {path} HTTP/1.1",
            "host: bench",
            f"authorization: Bearer {KEY}",
            f"content-length: {len(content)}",
        )
        self._writer.write("\r\n".join((*head, "", "")).encode() + content)
        answered = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answered.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        answer = orjson.loads(await self._reader.readexactly(length))
        assert answered.startswith(b"http/1.1 200"), answer
        return answer

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


def serve_door(url: str, port: int) -> None:
    """Run booking's API, as the service does; nothing takes what waits in the outbox."""
    logs.configure("bench", "error", "console")
    calm_collector()

    async def run() -> None:
        settings = Settings.model_validate(
            {"database_url": SecretStr(url), "kafka_bootstrap_servers": "127.0.0.1:1", "operator_key_sha256": None}
        )
        counts = AnswerCounts(Metrics("booking"))
        pool = await create_pool(url, "booking", min_size=2, max_size=POOL_SIZE)
        transactions = Transactions(pool, RealClock(), lambda: None, counts.refusals)
        api = door(settings, transactions, counts)
        await serve(api, "127.0.0.1", port, asyncio.Event())

    uvloop.run(run())


@contextlib.contextmanager
def served(url: str) -> Iterator[tuple[int, psutil.Process]]:
    """Give the port of the API and the process of its own in which it runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(target=serve_door, args=(url, port))
    process.start()
    try:
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.join()


@asynccontextmanager
async def callers(port: int, number: int) -> AsyncIterator[list[Caller]]:
    """Give connections to the API, as soon as it answers."""

    async def answers() -> bool:
        with contextlib.suppress(OSError):
            (await Caller.of(port)).close()
            return True
        return False

    await until(answers, LONGEST_START_S)
    found = [await Caller.of(port) for _ in range(number)]
    try:
        yield found
    finally:
        for caller in found:
            caller.close()


async def one_by_one(port: int, name: str, count: int) -> tuple[float, list[float]]:
    """Register `count` patients by 8 callers; return the seconds it took and those of each."""
    numbers, took = iter(range(count)), list[float]()

    async def post(caller: Caller) -> None:
        for number in numbers:
            began = time.perf_counter()
            await caller.put(f"/v1/patients/{name}-{number}", patient(f"{name}{number}"))
            took.append(time.perf_counter() - began)

    async with callers(port, CALLERS) as found:
        began = time.perf_counter()
        await asyncio.gather(*(post(caller) for caller in found))
        return time.perf_counter() - began, took


async def in_batches(port: int, name: str, count: int) -> float:
    """Register `count` patients 1,000 at a time by one caller; return the seconds."""
    bodies = [
        {"patients": [{"id": f"{name}-{first + n}", **patient(f"{name}{first + n}")} for n in range(BATCH)]}
        for first in range(0, count, BATCH)
    ]
    async with callers(port, 1) as (caller,):
        began = time.perf_counter()
        for body in bodies:
            results = (await caller.put("/v1/patients", body))["results"]
            assert all(result["status"] == 200 for result in results)
        return time.perf_counter() - began


async def measure(report: Report, admin_url: str, url: str, count: int) -> None:
    """Register patients at each size; what is there already has this year's numbers, or the years' before."""
    admin = await asyncpg.connect(admin_url)
    pool = await create_pool(url, "booking", max_size=1)
    await client_keys.create(pool, Client("bench", ("bench",), may_register=True), KEY)
    await pool.close()
    year, held = RealClock().now().year, 0
    with served(url) as (port, api):
        await one_by_one(port, "warm-up", 200)
        for size in HELD:
            # nearly all have this year's numbers, which are what was read; a year has 999,999
            held = await _fill(admin, year, held, min(size, MOST_OF_A_YEAR), size)
            before = _cpu_s(api)
            took, each = await one_by_one(port, f"single-{size}", count)
            cpu_us = (_cpu_s(api) - before) / count * 1e6
            one = percentile(each, 0.5) * 1000
            report.add(
                figure(f"{size:,} patients: one by one, {CALLERS} callers; aim", "people/s", count / took, AIM_PER_S),
                figure(f"{size:,} patients: one by one, booking's process", "µs CPU/person", cpu_us),
                figure(f"{size:,} patients: one by one, p50", "ms", one, BEFORE_MS.get(size)),
                figure(f"{size:,} patients: one by one, p99", "ms", percentile(each, 0.99) * 1000),
                figure(
                    f"{size:,} patients: in batches of {BATCH:,}",
                    "people/s",
                    4 * BATCH / await in_batches(port, f"batch-{size}", 4 * BATCH),
                ),
            )
    last = await admin.fetchval("SELECT last FROM booking.main_file_counter WHERE year = $1", year)
    gaps = last - await admin.fetchval(
        "SELECT count(*) FROM booking.patient WHERE main_file BETWEEN $1 AND $2",
        f"FILE-{year}-000001", f"FILE-{year}-{last:06d}",
    )  # fmt: skip
    report.notes.append(f"numbers of the year up to {last:,}: {gaps} gaps")
    report.notes.append(
        "before, each registration read all numbers of the year: 110 ms at 100,000 patients, 1,000 ms at 600,000"
    )
    report.notes.append(
        f"runnable processes of others before the run: {report.load_before}; where there are as many as cores, the "
        "rates are what was left of them: compare the sizes, and the CPU a person"
    )
    await admin.close()


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _fill(admin: Connection, year: int, held: int, this_year: int, size: int) -> int:
    """Let there be `size` patients, `this_year` of them with this year's numbers up to the counter."""
    last = int(await admin.fetchval("SELECT last FROM booking.main_file_counter WHERE year = $1", year))
    if this_year > last:
        await admin.execute(_FILL_YEAR, str(year), last + 1, this_year)
        await admin.execute("UPDATE booking.main_file_counter SET last = $2 WHERE year = $1", year, this_year)
    older = max(0, size - max(this_year, last))
    await admin.execute(_FILL, held, older)
    await admin.execute("VACUUM ANALYZE booking.patient")
    return max(held, older)


def main(
    count: Annotated[int, typer.Option(min=100, help="Patients registered one by one at each size.")] = 3_000,
) -> None:
    """Start a real PostgreSQL, measure, print a table and write bench/results/people.json."""
    logs.configure("bench", "error", "console")
    report = Report(NAME)
    with tempfile.TemporaryDirectory(prefix="attend-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # the server's unprivileged user must get through
        postgres = Postgres(Path(folder) / "postgres")
        try:
            postgres.start()
            admin_url = postgres.url("postgres")
            parts = urlsplit(admin_url)
            own = f"attend_booking:{PASSWORD}@{parts.netloc.rpartition('@')[2]}"
            url = urlunsplit(parts._replace(netloc=own))
            asyncio.run(_migrate(admin_url, url))
            uvloop.run(measure(report, admin_url, url, count))
        finally:
            postgres.stop()
            postgres.remove()
    print(f"written: {report.write()}")


async def _migrate(admin_url: str, url: str) -> None:
    await migrate(admin_url, url, "booking", "booking")


app = typer.Typer(add_completion=False)
app.command()(main)

if __name__ == "__main__":
    app()
