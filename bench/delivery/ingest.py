"""How fast bookings come in: by topic, in batches of 1,000 over HTTP, one by one over HTTP."""

import asyncio
import time
from itertools import batched

import orjson

from bench.delivery.bookings import booked, mixed
from bench.delivery.limits import fetch_loop
from bench.delivery.load import Record
from bench.delivery.running import Running, each, running
from bench.delivery.servers import Servers
from bench.delivery.topics import produce
from bench.harness import Figure, Report, figure, percentile, until
from records.adapters import decoders
from schemas.topics import APPOINTMENTS, BOOKINGS_INBOUND

PATIENTS = 2000
AIM_PER_S = 8000
BATCH = 1000
BATCHES_AT_ONCE = 2
SINGLES = 3000
LONGEST_S = 180
BOOKING = "booking"


async def measure_ingest(servers: Servers, report: Report, events: int) -> None:
    """Measure all three ways into a system of which only booking runs."""
    async with running(servers, BOOKING) as system:
        await system.upstream.introduce(PATIENTS)
        report.add(*await _by_topic(servers, system, events))
        report.add(*await _by_batch(system, max(BATCH * 4, events // 5)))
        report.add(*await _one_by_one(system))


async def _by_topic(servers: Servers, system: Running, events: int) -> list[Figure]:
    """Let `events` wait in `bookings-inbound` while booking is frozen, then count from its thaw on."""
    headers = (("content-type", b"application/json"),)
    records = [Record(key.encode(), orjson.dumps(body), headers) for key, body in mixed(events, PATIENTS, "in")]
    done_before = await _taken(system)
    await asyncio.to_thread(system.system.pause, BOOKING)
    topic = system.prefix + BOOKINGS_INBOUND.name
    try:
        await produce(servers.bootstrap, topic, BOOKINGS_INBOUND.partitions, records)
    finally:
        await asyncio.to_thread(system.system.resume, BOOKING)
    began, before = time.perf_counter(), system.cpu_s(BOOKING)
    await until(lambda: _all_out(system, done_before + events), LONGEST_S)
    took, after = time.perf_counter() - began, system.cpu_s(BOOKING)
    published = await _events_published(system)
    loop = await fetch_loop(
        servers.bootstrap, system.prefix + APPOINTMENTS.name, APPOINTMENTS.partitions, published, decoders.appointment
    )
    rate = events / took
    return [
        figure("bookings-inbound to appointments, all durable and published : the aim", "events/s", rate, AIM_PER_S),
        figure("bookings-inbound to appointments : the decoding loop over its output", "events/s", rate, loop.per_s),
        figure("bookings-inbound: booking's process", "µs CPU/event", (after - before) / events * 1e6),
    ]


async def _by_batch(system: Running, events: int) -> list[Figure]:
    bodies = [{"events": [body for _, body in part]} for part in batched(mixed(events, PATIENTS, "batch"), BATCH)]
    times: list[float] = []

    async def post(body: object) -> None:
        began = time.perf_counter()
        results = (await system.upstream.post(body))["results"]
        times.append(time.perf_counter() - began)
        refused = [one for one in results if "result" not in one]
        assert not refused, refused[0]

    began, before = time.perf_counter(), system.cpu_s(BOOKING)
    # In order within a batch, not between batches: the booking of an overtaking change is answered as stale.
    await each(bodies, post, BATCHES_AT_ONCE)
    rate = events / (time.perf_counter() - began)
    cpu_us = (system.cpu_s(BOOKING) - before) / events * 1e6
    return [
        figure(f"HTTP, batches of {BATCH:,}: booking's process", "µs CPU/event", cpu_us),
        figure(f"HTTP, batches of {BATCH:,}, {BATCHES_AT_ONCE} at once", "events/s", rate),
        figure(f"HTTP, one batch of {BATCH:,}, p50", "ms", percentile(times, 0.5) * 1000),
    ]


async def _one_by_one(system: Running) -> list[Figure]:
    times: list[float] = []

    async def post(number: int) -> None:
        began = time.perf_counter()
        await system.upstream.post(booked(f"single{number}", number % PATIENTS, number))
        times.append(time.perf_counter() - began)

    began, before = time.perf_counter(), system.cpu_s(BOOKING)
    await each(range(SINGLES), post)
    rate = SINGLES / (time.perf_counter() - began)
    cpu_us = (system.cpu_s(BOOKING) - before) / SINGLES * 1e6
    return [
        figure("HTTP, single posts: booking's process", "µs CPU/event", cpu_us),
        figure("HTTP, single posts, 16 at once", "events/s", rate),
        figure("HTTP, single posts, 16 at once, p50", "ms", percentile(times, 0.5) * 1000),
        figure("HTTP, single posts, 16 at once, p99", "ms", percentile(times, 0.99) * 1000),
    ]


async def _taken(system: Running) -> int:
    dead = await system.admin.fetchval("SELECT count(*) FROM booking.dead_letter")
    assert not dead, f"{dead} dead letters"
    return int(await system.admin.fetchval("SELECT count(*) FROM booking.ingress"))


async def _events_published(system: Running) -> int:
    return int(await system.admin.fetchval("SELECT count(*) FROM booking.appointment_history"))


async def _all_out(system: Running, events: int) -> bool:
    if await _taken(system) < events:
        return False
    return not await system.admin.fetchval("SELECT EXISTS (SELECT FROM booking.outbox)")
