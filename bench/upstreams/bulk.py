"""How fast a file of history is taken, beside COPY of the same rows into tables alike."""

import asyncio
import io
import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import psutil

from bench.delivery.servers import Place, Servers, place
from bench.harness import Report, figure
from bench.people import KEY, callers, served
from booking.door import client_keys
from booking.door.domain import Client
from booking.files.bodies import bodies
from booking.files.kinds import Kind, cut_as
from booking.profiles.csv_knobs import CsvProfile
from chassis.postgres.database import Connection, create_pool

AIM_PER_S = 10_000
VISITS_OF_A_PATIENT = 5
CHUNK = 1024 * 1024
LOOK_S = 0.2
TABLES = ("appointment", "appointment_alias", "appointment_history", "ingress", "outbox", "patient", "patient_alias")
HEADER = (
    "AppointmentId,MRN,StartDateTime,ApptLength,ApptStatus,FirstName,LastName,Mobile,ApptType,ProviderCode,Clinic\n"
)
FIRST = datetime(2019, 1, 7, 8, tzinfo=UTC)


def write(path: Path, rows: int) -> None:
    """Write a file of `rows` visits of the past years, five of each patient, in the order of their starts."""
    patients = max(1, rows // VISITS_OF_A_PATIENT)
    with path.open("w") as file:
        file.write(f"{HEADER}\n")
        for n in range(rows):
            starts = FIRST + timedelta(minutes=3 * n)
            who = f"p{n % patients},{starts:%Y-%m-%dT%H:%M}Z,20,kept,Amina,Kimathi {n % patients}"
            file.write(f"v{n},{who},+4477009{n % patients % 100_000:05},Check,dr-{n % 40},EYE\n")


async def import_file(path: Path, port: int, lanes: int) -> tuple[float, float, list[float], dict[str, Any]]:
    """Import a file in a process of its own.

    Returns:
        The seconds it took, its seconds of CPU, its memory in MiB as time went, and what it told.
    """
    environment = os.environ | {"ATTEND_BOOKING_URL": f"http://127.0.0.1:{port}", "ATTEND_CLIENT_KEY": KEY}
    options = ("--source", "bench", "--mode", "backfill", "--json", "--connections", str(lanes))
    words = (sys.executable, "-m", "booking", "import", str(path), *options)
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(*words, env=environment, stdout=asyncio.subprocess.PIPE)
    watched, memory, cpu = psutil.Process(process.pid), list[float](), 0.0
    telling = asyncio.create_task(process.communicate())
    while not telling.done():
        try:
            memory.append(watched.memory_info().rss / 2**20)
            cpu = _cpu_s(watched)
        except psutil.Error:
            break
        await asyncio.wait((telling,), timeout=LOOK_S)
    told, _ = await telling
    return time.perf_counter() - began, cpu, memory, orjson.loads(told)


async def copied(admin: Connection) -> tuple[float, int]:
    """COPY what the import wrote into tables of the same shape; return the seconds and the rows."""
    took, rows = 0.0, 0
    for table in TABLES:
        out = io.BytesIO()
        await admin.copy_from_query(f"SELECT * FROM booking.{table}", output=out, format="binary")  # noqa: S608
        await admin.execute(f"CREATE TABLE public.bulk_{table} (LIKE booking.{table} INCLUDING ALL)")
        out.seek(0)
        began = time.perf_counter()
        await admin.copy_to_table(f"bulk_{table}", source=out, format="binary")
        took += time.perf_counter() - began
        rows += int(await admin.fetchval(f"SELECT count(*) FROM public.bulk_{table}"))  # noqa: S608
    return took, rows


def cut_alone(path: Path) -> float:
    """Return the seconds of CPU of cutting the file into bodies."""
    began = time.process_time()
    with path.open("rb") as file:
        first = file.read(CHUNK)
        file.seek(0)
        found = cut_as(Kind.CSV, iter(lambda: file.read(CHUNK), b""), first, CsvProfile(), [])
        for _ in bodies(found.records, found.lane_of, 2):
            pass
    return time.process_time() - began


async def measure_bulk(servers: Servers, report: Report, rows: int, lanes: int) -> None:
    """Import a file of so many rows into an empty installation, then once more, then COPY what it wrote."""
    with tempfile.TemporaryDirectory(prefix="attend-bench-") as folder:
        path = Path(folder) / "history.csv"
        write(path, rows)
        async with place(servers, "booking") as empty:
            await _measure(report, empty, path, rows, lanes)


async def _measure(report: Report, empty: Place, path: Path, rows: int, lanes: int) -> None:
    url, admin = empty.url("booking"), await asyncpg.connect(empty.admin_url)
    pool = await create_pool(url, "booking", max_size=1)
    rights = {"may_register": True, "may_manage_clinics": True}
    await client_keys.create(pool, Client("bench", ("bench",), **rights), KEY)  # type: ignore[arg-type]
    await pool.close()
    with served(url) as (port, api):
        async with callers(port, 1) as (caller,):
            await caller.put("/v1/clinics/EYE", {"name": "Eye Clinic", "zone": "Europe/London", "country": "GB"})
        before = _cpu_s(api)
        took, cpu, memory, told = await import_file(path, port, lanes)
        used = _cpu_s(api) - before
        assert told["results"] == {"applied": rows}, told
        again, _, _, repeated = await import_file(path, port, lanes)
        assert repeated["results"] == {"repeat": rows}, repeated
    seconds, written = await copied(admin)
    visits = await admin.fetchval("SELECT count(*) FROM booking.appointment")
    half = len(memory) // 2
    report.add(
        figure(f"{rows:,} visits of a file, {lanes} connections, all durable; aim", "visits/s", rows / took, AIM_PER_S),
        figure(f"the same : COPY of the {written:,} rows that it wrote", "visits/s", rows / took, rows / seconds),
        figure("the same file again: all repeats", "visits/s", rows / again),
        figure("booking's process", "µs CPU/visit", used / rows * 1e6),
        figure("the importer", "µs CPU/visit", cpu / rows * 1e6),
        figure("the importer, cutting alone", "µs CPU/visit", await asyncio.to_thread(cut_alone, path) / rows * 1e6),
        figure(
            "the importer's memory: most of the second half, of the first",
            "MiB",
            max(memory[half:]),
            max(memory[:half]),
        ),
    )
    doubled = await admin.fetchval("SELECT count(*) FROM booking.appointment WHERE version > 1")
    report.notes.append(f"bulk: lost {rows - visits}, doubled {doubled}")
    report.notes.append("bulk: client, booking and PostgreSQL share the cores; nothing takes what waits in the outbox")
    await admin.close()


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
