"""`python -m bench.projector`: a backlog of plans becomes reminder records, their history and the counts ahead (B9)."""

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

import asyncpg
import typer
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from pydantic import SecretStr

from bench.harness import Cpu, Report, figure, interleaved, median, until
from chassis.kafka import topics
from chassis.postgres.database import create_pool
from chassis.postgres.migrator import migrate
from chassis.process import logs
from chassis.process.lifecycle import calm_collector
from reminders.settings import Settings
from reminders.wiring import run_projector
from schemas.envelope import Envelope
from schemas.reminders import REMINDERS_PLANNED, PlannedReminder, RemindersPlanned, ReminderStatus
from schemas.topics import CLINICS, NOTIFICATIONS, REMINDERS
from schemas.wire import encode, event_id, reminder_id
from stack.kafka import Kafka
from stack.ports import free_port
from stack.postgres import Postgres

NAME = "projector"
PASSWORD = "bench"  # noqa: S105 - of a role on a server that lives as long as the run
BEGIN = datetime(2030, 3, 1, 9, tzinfo=UTC)
LEADS = (("24h", 24), ("2h", 2))
CLINICS_COUNT, SLOTS = 40, 12 * 8 * 60
"""Visits every five minutes over 20 days: with that many, minutes are shared as in life."""

AIM_PER_S = 6_000
WITHIN_S = 300


@dataclass(frozen=True, slots=True)
class Run:
    """One backlog worked off.

    Attributes:
        per_s: Events a second, from the first commit's batch to the last commit.
        cpu_us: The projector's CPU an event, with its start.
        database_us: PostgreSQL's CPU an event.
        right: Whether the counts ahead are a recount of the records.
    """

    per_s: float
    cpu_us: float
    database_us: float
    right: bool


def plans(events: int) -> Iterator[tuple[bytes, bytes, list[tuple[str, bytes]]]]:
    """Yield key, value and headers of plans of as many visits, two reminders each; one in ten is moved later on."""
    dice = random.Random(1)
    for number in range(events * 10 // 11):
        appointment_id, start = UUID(int=dice.getrandbits(128)), BEGIN + timedelta(minutes=5 * dice.randrange(SLOTS))
        yield _plan(appointment_id, 1, start, number)
        if number % 10 == 0:
            yield _plan(appointment_id, 2, start + timedelta(hours=26), number)


def _plan(
    appointment_id: UUID, version: int, start: datetime, number: int
) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    body = RemindersPlanned(
        appointment_id=appointment_id,
        version=version,
        schedule_gen=version,
        patient_id=UUID(int=number + 1),
        clinic_id=f"CL{number % CLINICS_COUNT}",
        reminders=tuple(
            PlannedReminder(
                reminder_id=reminder_id(appointment_id, version, slug),
                rule=slug,
                due=start - timedelta(hours=hours),
                not_after=start - timedelta(hours=hours / 4),
                status=ReminderStatus.SCHEDULED,
            )
            for slug, hours in LEADS
        ),
        caused_by=str(event_id(appointment_id, version)),
    )
    key = str(appointment_id)
    envelope = Envelope(str(event_id(appointment_id, version)), REMINDERS_PLANNED, "bench", key, BEGIN)
    return key.encode(), encode(body), list(envelope.headers())


async def project(bootstrap: str, admin_url: str, postgres: Postgres, number: int, events: int) -> Run:
    """Work one backlog off, in a database and with topics of its own."""
    name, prefix = f"bench_{number}", f"bench{number}."
    connection = await asyncpg.connect(admin_url)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    url = postgres.url(name, "attend_reminders", PASSWORD)
    await migrate(postgres.url(name), url, "reminders", "reminders")
    await topics.apply(bootstrap, (REMINDERS, NOTIFICATIONS, CLINICS), prefix)
    written = await _write(bootstrap, prefix + REMINDERS.name, events)
    settings = Settings.model_construct(
        database_url=SecretStr(url),
        kafka_bootstrap_servers=bootstrap,
        topic_prefix=prefix,
        http_host="127.0.0.1",
        http_port=free_port(),
        operations_port=free_port(),
        clock_file=None,
        operator_key_sha256=None,
    )
    async with await create_pool(url, "reminders", max_size=2) as pool:
        stop, servers, began_cpu = asyncio.Event(), Cpu.now(), time.process_time()
        work = asyncio.create_task(run_projector(settings, stop))
        positions: list[tuple[float, int]] = []

        async def done() -> bool:
            if work.done():
                raise RuntimeError("the projector ended") from work.exception()
            place = await pool.fetchval(
                "SELECT coalesce(sum(applied + repeat), 0)::bigint FROM consumer_offset WHERE topic = $1",
                prefix + REMINDERS.name,
            )
            if place:
                positions.append((time.perf_counter(), place))
            return bool(place >= written)

        await until(done, WITHIN_S, every_s=0.02)
        cpu, database = time.process_time() - began_cpu, Cpu.now().since(servers, "postgres")
        stop.set()
        await work
        (began, first), (ended, last) = positions[0], positions[-1]
        wrong = await pool.fetchval(_RECOUNT)
    return Run((last - first) / max(ended - began, 1e-9), cpu / written * 1e6, database / written * 1e6, wrong == 0)


_RECOUNT = """
SELECT count(*) FROM (
    SELECT clinic_id, minute, due FROM forecast WHERE due <> 0
) counted FULL JOIN (
    SELECT clinic_id, date_trunc('minute', scheduled_for) AS minute, count(*) AS due FROM reminder
    WHERE status = 'SCHEDULED' AND handed_over_at IS NULL GROUP BY 1, 2
) again USING (clinic_id, minute) WHERE counted.due IS DISTINCT FROM again.due
"""


async def _write(bootstrap: str, topic: str, events: int) -> int:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20)
    await producer.start()
    try:
        for key, value, headers in plans(events):
            await producer.send(topic, value, key, headers=headers)
        await producer.flush()
    finally:
        await producer.stop()
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(topic, number) for number in range(REMINDERS.partitions)])
    finally:
        await consumer.stop()
    return sum(ends.values())


async def measure(report: Report, kafka: Kafka, postgres: Postgres, events: int, rounds: int) -> None:
    """Run all rounds and add the medians."""
    numbers = iter(range(rounds))
    runs = await interleaved(
        rounds,
        {NAME: lambda: project(kafka.bootstrap, postgres.url("postgres"), postgres, next(numbers), events)},
    )
    found = runs[NAME]
    report.add(
        figure("plans made records, history and counts", "events/s", median([r.per_s for r in found]), AIM_PER_S),
        figure("the projector's CPU", "µs/event", median([r.cpu_us for r in found])),
        figure("PostgreSQL's CPU", "µs/event", median([r.database_us for r in found])),
        figure("rounds whose counts are a recount", "rounds", sum(r.right for r in found), rounds),
    )


def main(
    events: Annotated[int, typer.Option(min=1_000, help="Plans in the backlog; one in eleven is a move.")] = 33_000,
    rounds: Annotated[int, typer.Option(min=1, max=9, help="Repeats; medians count.")] = 3,
) -> None:
    """Work a backlog of plans off into PostgreSQL, on a real broker and a real database."""
    logs.configure("bench", "error", "console")
    calm_collector()
    report = Report(NAME)
    report.notes.append(f"{events} plans of two reminders; the limit is the aim of {AIM_PER_S} events/s")
    report.notes.append("projector, broker and database share the cores; CPU of the projector includes its start")
    with tempfile.TemporaryDirectory(prefix="attend-bench-") as folder:
        kafka, postgres = Kafka(Path(folder) / "kafka"), Postgres(Path(folder) / "postgres")
        try:
            kafka.start()
            postgres.start()
            uvloop.run(measure(report, kafka, postgres, events, rounds))
        finally:
            kafka.stop()
            postgres.stop()
            postgres.remove()
    report.write()


app = typer.Typer(add_completion=False)
app.command()(main)

if __name__ == "__main__":
    app()
