"""`python -m bench.policies`: how long the dry run of a policy change takes, and the change itself (B4)."""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import httpx2
import orjson
import typer
import uvloop
from pydantic import SecretStr

from bench.harness import Report, figure, interleaved, median
from booking.appointments.counts import AnswerCounts
from booking.appointments.domain.state import AppointmentState
from booking.appointments.messages import appointment_changed
from booking.appointments.statements import APPOINTMENT_COLUMNS
from booking.clinics.domain.clinic import ClinicState
from booking.door.transactions import Transactions
from booking.policies import statements
from booking.policies.dry_run import PAGE
from booking.policies.store import REMINDABLE
from booking.reissues.job import ReissueCounts, Reissuer
from booking.settings import Settings
from booking.wiring import door
from chassis.postgres.database import Pool, create_pool
from chassis.postgres.migrator import migrate
from chassis.process import logs
from chassis.process.clock import RealClock
from chassis.process.lifecycle import calm_collector
from chassis.process.metrics import Metrics
from schemas.appointments import Appointment, Status
from schemas.wire import decode
from stack.postgres import Postgres

NAME = "policies"
KEY = "the operator's key"
PASSWORD = "bench"  # noqa: S105 - of a role on a server that lives as long as the run
SERVICES = ("Check", "MRI", "Surgery", None)
RULES = {"rules": [{"lead_days": 7}, {"lead_hours": 48}, {"lead_hours": 2}]}
PATH = "/v1/clinics/EYE/reminder-policy"


def visits(ahead: int, past: int, clinic: ClinicState, now: datetime) -> Iterator[list[tuple[UUID, AppointmentState]]]:
    """Yield every visit with its versions: those ahead over half a year, past ones over three months."""
    for number in range(ahead):
        yield [(UUID(int=number + 1), _state(number, now + timedelta(minutes=90 + 2.6 * number), clinic, now))]
    for number in range(ahead, ahead + past):
        starts_at = now - timedelta(seconds=60 + (number - ahead) * 7_700_000 / max(past, 1))
        booked = _state(number, starts_at, clinic, starts_at)
        done = booked._replace(version=2, status=Status.FULFILLED, ingest_time=starts_at + timedelta(minutes=30))
        yield [(UUID(int=number + 1), booked), (UUID(int=number + 1), done)]


def _state(number: int, starts_at: datetime, clinic: ClinicState, now: datetime) -> AppointmentState:
    booked_at = now - timedelta(days=1 + number % 60)
    return AppointmentState(
        "bench", 1, Status.BOOKED, None, None, booked_at, booked_at, patient=UUID(int=number // 3 + 1),
        clinic_id=clinic.clinic_id, service_type=SERVICES[number % len(SERVICES)], starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=30), schedule_set_at=booked_at, first_booked_at=booked_at,
        caused_by="bench/1",
    )  # fmt: skip


async def fill(pool: Pool, clinic: ClinicState, ahead: int, past: int, now: datetime) -> None:
    """Copy the visits in, as booking would have kept them."""
    current: list[tuple[Any, ...]] = []
    history: list[tuple[UUID, int, str]] = []
    for versions in visits(ahead, past, clinic, now):
        current.append((versions[-1][0], *versions[-1][1]))
        for key, state in versions:
            history.append((key, state.version, (appointment_changed(key, state, clinic, None).value or b"").decode()))
    async with pool.acquire() as connection:
        names = [name for name, _ in APPOINTMENT_COLUMNS]
        await connection.copy_records_to_table("appointment", records=current, columns=names)
        await connection.copy_records_to_table("appointment_history", records=history)
        await connection.execute("ANALYZE")


async def measure(report: Report, url: str, ahead: int, past: int, rounds: int) -> None:
    """Try the policy several times, then set it and let the job run unthrottled."""
    settings = Settings.model_validate(
        {
            "database_url": SecretStr(url),
            "kafka_bootstrap_servers": "127.0.0.1:1",
            "operator_key_sha256": SecretStr(sha256(KEY.encode()).hexdigest()),
        }
    )
    clock, metrics = RealClock(), Metrics("booking")
    pool = await create_pool(url, "booking", max_size=4)
    counts = AnswerCounts(metrics)
    transactions = Transactions(pool, clock, lambda: None, counts.refusals)
    api = door(settings, transactions, counts)
    clinic = ClinicState("EYE", 1, "Eye Clinic", "Europe/London", "GB", clock.now() - timedelta(days=400))
    await pool.execute(
        "INSERT INTO clinic (clinic_id, version, name, zone, country, languages, sensitive, window_opens, "
        "window_closes, created_at) VALUES ('EYE', 1, 'Eye Clinic', 'Europe/London', 'GB', '{en}', false, '07:00', "
        "'21:00', $1)",
        clinic.created_at,
    )
    await fill(pool, clinic, ahead, past, clock.now())
    headers = {"authorization": f"Bearer {KEY}"}
    transport = httpx2.ASGITransport(app=api)
    async with httpx2.AsyncClient(transport=transport, base_url="http://booking", headers=headers, timeout=600) as http:
        planned = await dry_runs(report, pool, http, ahead, past, rounds)
        await http.put(PATH, content=orjson.dumps(RULES))
        job = Reissuer(transactions, ReissueCounts(metrics), 10**9, settings.policy_reissue_batch)
        began = time.perf_counter()
        while not await job.idle():
            await job.step()
        spent = time.perf_counter() - began
        done = (await http.get(f"{PATH}/changes/1")).json()["reissue"]
        report.add(figure("reissue without a throttle", "appointments/s", done["appointments"] / spent))
        report.notes.append(f"reissue: {orjson.dumps({name: done[name] for name in planned['ahead']}).decode()}")
    await pool.close()


async def dry_runs(
    report: Report, pool: Pool, http: httpx2.AsyncClient, ahead: int, past: int, rounds: int
) -> dict[str, Any]:
    """Try the policy and read the same visits without planning them, in turns; return the last answer."""
    planned: dict[str, Any] = {}

    async def tried(months: int) -> float:
        nonlocal planned
        body = orjson.dumps({**RULES, "past_months": months})
        began = time.perf_counter()
        planned = (await http.post(f"{PATH}/plan", content=body)).json()
        return time.perf_counter() - began

    measures = {"bare": lambda: read_bare(pool), "ahead": lambda: tried(0), "both": lambda: tried(3)}
    took = {name: median(seconds) for name, seconds in (await interleaved(rounds, measures)).items()}
    report.add(
        figure(
            f"dry run over {ahead:,} visits ahead; aim 10 s; limit: reading and decoding them",
            "s",
            took["ahead"],
            took["bare"],
        ),
        figure(f"with {past:,} visits of three past months", "s", took["both"]),
    )
    assert planned["ahead"]["looked_at"] + sum(month["visits"] for month in planned["past"]) >= ahead + past - 10
    report.notes.append(f"dry run: {orjson.dumps(planned['ahead']).decode()}")
    return planned


async def read_bare(pool: Pool) -> float:
    """Return the seconds in which the visits ahead are read page by page and decoded, and nothing else."""
    began, after = time.perf_counter(), (RealClock().now(), UUID(int=0))
    while rows := await pool.fetch(statements.PAGE_AHEAD, "EYE", None, [], *after, REMINDABLE, PAGE):
        for row in rows:
            decode(Appointment, row["snapshot"].encode())
        after = (rows[-1]["starts_at"], rows[-1]["appointment_id"])
    return time.perf_counter() - began


def main(
    ahead: Annotated[int, typer.Option(min=100, help="Visits ahead at the clinic.")] = 100_000,
    past: Annotated[int, typer.Option(min=0, help="Visits of the last three months, two versions each.")] = 30_000,
    rounds: Annotated[int, typer.Option(min=1, max=9, help="Repeats; medians count.")] = 3,
) -> None:
    """Start a real PostgreSQL, measure, print a table and write bench/results/policies.json."""
    logs.configure("bench", "error", "console")
    calm_collector()
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
            uvloop.run(measure(report, url, ahead, past, rounds))
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
