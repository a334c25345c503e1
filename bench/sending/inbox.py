"""From a booking's record in Kafka to its row in the provider's inbox, at a steady rate."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import psutil
from aiokafka import AIOKafkaProducer

from bench.delivery.servers import Place, Servers, place
from bench.harness import Cpu, Report, figure, percentile, until
from bench.sending.events import changed
from bench.sending.people import Visit, fill, visits
from chassis.process.clock import RealClock
from notifier.wiring.service import SERVICE
from schemas.topics import APPOINTMENTS
from stack.parts import ServiceProcess
from stack.ports import LOOPBACK, free_port

RATE_PER_S = 500
WARM_UP_S = 3
AIM_MS = 150
STEP_S = 0.002
LONGEST_S = 60


async def measure_inbox(servers: Servers, report: Report, seconds: int) -> None:
    """Append 500 bookings a second to the topic, the fan-out in a process of its own; look when rows are visible."""
    count = (seconds + WARM_UP_S) * RATE_PER_S
    async with place(servers, "booking", "notifier") as own:
        booked = list(visits(count, RealClock().now()))
        await fill(own.admin_url, booked, by_email=True)
        async with _fanout(own) as process:
            before, cpu = Cpu.now(), process.cpu_times()
            sent, behind_ms = await _append(own, booked)
            admin = await asyncpg.connect(own.admin_url)
            try:
                times = await _visible(admin, dict(list(sent.items())[WARM_UP_S * RATE_PER_S :]))
            finally:
                await admin.close()
            used, database = process.cpu_times(), Cpu.now().since(before, "postgres")
    spent = used.user + used.system - cpu.user - cpu.system
    report.notes.append(
        f"inbox: {seconds * RATE_PER_S:,} bookings, open loop at {RATE_PER_S}/s after {WARM_UP_S} s of warm-up, the"
        " fan-out as a process of its own; from just before the producer's send to the commit that made the inbox row;"
        f" sent at most {behind_ms:.0f} ms behind the schedule"
    )
    report.add(
        figure(f"at {RATE_PER_S}/s: record to the provider's inbox row, p50", "ms", percentile(times, 0.5)),
        figure(f"at {RATE_PER_S}/s: record to the provider's inbox row, p99", "ms", percentile(times, 0.99), AIM_MS),
        figure(f"at {RATE_PER_S}/s: the fan-out's CPU", "µs/event", spent / count * 1e6),
        figure(f"at {RATE_PER_S}/s: PostgreSQL's CPU", "µs/event", database / count * 1e6),
    )


@asynccontextmanager
async def _fanout(own: Place) -> AsyncIterator[psutil.Process]:
    asked = free_port()
    env = {
        **os.environ,
        "NOTIFIER_DATABASE_URL": own.url(SERVICE),
        "NOTIFIER_HTTP_PORT": str(free_port()),
        "NOTIFIER_OPERATIONS_PORT": str(asked),
        "NOTIFIER_SENDING_MODE": "live",
        "NOTIFIER_ADDRESS_PEPPER": "of a benchmark and as long as it has to be",
        "KAFKA_BOOTSTRAP_SERVERS": own.bootstrap,
        "ATTEND_TOPIC_PREFIX": own.prefix,
        "ATTEND_LOG_LEVEL": "warning",
    }
    with tempfile.TemporaryDirectory(prefix="attend-bench-") as folder:
        log, url = Path(folder) / "fanout.log", f"http://{LOOPBACK}:{asked}"
        service = ServiceProcess(("-m", SERVICE, "fanout"), env, log, Path(folder), url)
        service.start()
        try:

            async def ready() -> bool:
                assert service.running, service.last_words()
                return await asyncio.to_thread(service.is_ready)

            await until(ready, LONGEST_S)
            assert service.process is not None
            yield psutil.Process(service.process.pid)
        finally:
            await asyncio.to_thread(service.stop)


async def _append(own: Place, booked: list[Visit]) -> tuple[dict[UUID, datetime], float]:
    """Append one after the other at the rate; returns when each was sent, and the worst delay in ms."""
    clock, sent, worst = RealClock(), dict[UUID, datetime](), 0.0
    records = [changed(visit, clock.now()) for visit in booked]
    producer = AIOKafkaProducer(bootstrap_servers=own.bootstrap)
    await producer.start()
    try:
        began, number = time.perf_counter(), 0
        while number < len(booked):
            due = int((time.perf_counter() - began) * RATE_PER_S) + 1
            for position in range(number, min(due, len(booked))):
                worst = max(worst, time.perf_counter() - began - position / RATE_PER_S)
                sent[booked[position].appointment_id] = clock.now()
                record = records[position]
                await producer.send(own.topic(APPOINTMENTS), record.value, record.key, headers=list(record.headers))
            number = min(due, len(booked))
            await asyncio.sleep(STEP_S)
        await producer.flush()
    finally:
        await producer.stop()
    return sent, worst * 1000


async def _visible(admin: asyncpg.Connection, sent: dict[UUID, datetime]) -> list[float]:
    """Return the milliseconds from each record to the commit of its inbox row, once all rows are there."""
    found: dict[UUID, datetime] = {}

    async def all_there() -> bool:
        found.update({row["appointment_id"]: row["at"] for row in await admin.fetch(_ROWS)})
        return found.keys() >= sent.keys()

    await until(all_there, LONGEST_S, every_s=0.5)
    return [(found[visit] - at).total_seconds() * 1000 for visit, at in sent.items()]


_ROWS = "SELECT appointment_id, pg_xact_commit_timestamp(xmin) AS at FROM notifier.inbox"
