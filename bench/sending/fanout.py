"""Fan-out: a topic of bookings, moves and cancellations becomes ledger and inbox rows, beside COPY of the same rows."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import asyncpg

from bench.delivery.limits import Rate, fetch_loop
from bench.delivery.load import Record
from bench.delivery.servers import Servers, place
from bench.delivery.topics import produce
from bench.harness import Cpu, Report, figure, interleaved, median, until
from bench.sending.events import BATCH, changed, settings_of
from bench.sending.people import Visit, fill, visits
from chassis.process.clock import RealClock
from notifier.fanout import messages
from notifier.settings import Settings
from notifier.wiring.service import build
from schemas.appointments import Status
from schemas.topics import APPOINTMENTS

AIM_PER_S = 8_000
BOOKED_OF_TEN = 8
"""The ninth is a move, the tenth a cancellation: 80, 10 and 10 in a hundred."""

LONGEST_S = 240


@dataclass(frozen=True, slots=True)
class Run:
    """One topic fanned out.

    Attributes:
        per_s: Events a second, from the first batch's commit until all is committed and published.
        rows_per_s: Ledger rows a second in the same time.
        cpu_us: CPU of the fan-out's process an event.
        postgres_us: PostgreSQL's.
        copy_per_s: Events a second if the ledger's rows were but copied in, with the same indexes.
    """

    per_s: float
    rows_per_s: float
    cpu_us: float
    postgres_us: float
    copy_per_s: float


def history(events: int, now: datetime) -> Iterator[Visit]:
    """Yield the versions in the topic's order: eight bookings, then one of them moved and another cancelled."""
    block: list[Visit] = []
    for visit in visits(events * BOOKED_OF_TEN // 10, now):
        yield visit
        block.append(visit)
        if len(block) == BOOKED_OF_TEN:
            moved, cancelled = block[0], block[1]
            later = moved.starts_at + timedelta(days=1)
            yield replace(moved, version=2, schedule_gen=2, starts_at=later)
            yield replace(cancelled, version=2, status=Status.CANCELLED)
            block.clear()


async def measure_fanout(servers: Servers, report: Report, events: int, rounds: int) -> None:
    """Fan the topic out and measure its limits in turn, `rounds` times."""
    now = RealClock().now()
    newest = {visit.appointment_id: visit for visit in history(events, now)}
    async with place(servers) as topics_only:
        topic, partitions = topics_only.topic(APPOINTMENTS), APPOINTMENTS.partitions
        records: Iterator[Record] = (changed(visit, now) for visit in history(events, now))
        count, size = await produce(servers.bootstrap, topic, partitions, records)
        runs: list[Run] = []

        async def bare() -> Rate:
            return await fetch_loop(servers.bootstrap, topic, partitions, count, messages.appointment)

        async def ours() -> Rate:
            async with place(servers, "booking", "notifier", prefix=topics_only.prefix) as own:
                await fill(own.admin_url, list(newest.values()), by_email=True)
                runs.append(await run_fanout(own.admin_url, settings_of(own), topic, count))
            return Rate(runs[-1].per_s, runs[-1].cpu_us)

        limits = await interleaved(rounds, {"bare": bare, "ours": ours})
    loop, ours_per_s = median([rate.per_s for rate in limits["bare"]]), median([run.per_s for run in runs])
    report.notes.append(
        f"fan-out: {count:,} events of {size / count:.0f} bytes, 80 % booked, 10 % moved, 10 % cancelled; each booking"
        f" is a row for the patient and one with an inbox row for the provider; medians of {rounds} rounds"
    )
    report.add(
        figure("fan-out, committed and published : the aim", "events/s", ours_per_s, AIM_PER_S),
        figure("fan-out : COPY of the same ledger rows", "events/s", ours_per_s, median([r.copy_per_s for r in runs])),
        figure("fan-out : bare consumer loop with the same decoding", "events/s", ours_per_s, loop),
        figure("fan-out, ledger rows", "rows/s", median([run.rows_per_s for run in runs])),
        figure("fan-out, the process's CPU", "µs/event", median([run.cpu_us for run in runs])),
        figure("fan-out, PostgreSQL's CPU", "µs/event", median([run.postgres_us for run in runs])),
    )


async def run_fanout(admin_url: str, settings: Settings, topic: str, events: int) -> Run:
    """Let the fan-out take everything that waits in the topic, no lane beside it."""
    admin = await asyncpg.connect(admin_url)
    try:
        async with build(settings, stop := asyncio.Event(), fanout=True, lanes=()) as service:
            running = asyncio.create_task(service.run(stop))
            marks: list[tuple[float, float, Cpu, int]] = []

            async def done() -> bool:
                if running.done():
                    return True
                taken = await admin.fetchval(_TAKEN, topic)
                if taken and not marks:
                    marks.append((time.perf_counter(), time.process_time(), Cpu.now(), taken))
                return bool(taken >= events and not await admin.fetchval(_WAITING))

            try:
                await until(done, LONGEST_S, every_s=0.02)
                wall, cpu, servers_cpu = time.perf_counter(), time.process_time(), Cpu.now()
            finally:
                stop.set()
                await running
        began, began_cpu, began_servers, first = marks[0]
        rows = await admin.fetchval("SELECT count(*) FROM notifier.notification")
        left, share = events - first, (events - first) / events
        return Run(
            per_s=left / (wall - began),
            rows_per_s=rows * share / (wall - began),
            cpu_us=(cpu - began_cpu) / left * 1e6,
            postgres_us=servers_cpu.since(began_servers, "postgres") / left * 1e6,
            copy_per_s=events / await copied(admin),
        )
    finally:
        await admin.close()


async def copied(admin: asyncpg.Connection) -> float:
    """Return the seconds in which the ledger's rows are copied into a table like the ledger, 4,000 a transaction."""
    rows = [tuple(row) for row in await admin.fetch("SELECT * FROM notifier.notification")]
    await admin.execute("CREATE TABLE public.copied (LIKE notifier.notification INCLUDING ALL)")
    began = time.perf_counter()
    for start in range(0, len(rows), BATCH):
        await admin.copy_records_to_table("copied", schema_name="public", records=rows[start : start + BATCH])
    return time.perf_counter() - began


_TAKEN = "SELECT coalesce(sum(next_offset), 0)::bigint FROM notifier.consumer_offset WHERE topic = $1"
_WAITING = "SELECT EXISTS (SELECT FROM notifier.outbox)"
