"""From a booking's request to its sub-file row and to the provider's inbox row, at a steady rate."""

import asyncio
import time
from datetime import datetime

from bench.delivery.bookings import booked
from bench.delivery.cpu import cpu_by_part, cpu_figures
from bench.delivery.running import Running, running
from bench.delivery.servers import Servers
from bench.harness import Figure, Report, figure, percentile, until
from chassis.process.clock import RealClock

RATE_PER_S = 200
WARM_UP_S = 5
AIM_SUB_FILE_MS = 20
AIM_INBOX_MS = 100
LONGEST_S = 60

_SUB_FILES = "SELECT appointment_id::text, pg_xact_commit_timestamp(xmin) AS at FROM records.sub_file"
_INBOX = "SELECT appointment_id::text, pg_xact_commit_timestamp(xmin) AS at FROM notifier.inbox"


async def measure_latency(servers: Servers, report: Report, seconds: int, sending: str = "live") -> None:
    """Post 200 bookings a second, each of another registered patient, to the whole system in this sending mode."""
    bookings = (seconds + WARM_UP_S) * RATE_PER_S
    async with running(servers, sending=sending) as system:
        await system.upstream.introduce(bookings)
        await _settled(system)
        before = cpu_by_part(system)
        sent, answered, late_ms = await _post(system, bookings)
        counted = dict(list(sent.items())[WARM_UP_S * RATE_PER_S :])
        files, notices = await _rows(system, _SUB_FILES, counted), await _rows(system, _INBOX, counted)
        cpu = cpu_figures(f"at {RATE_PER_S}/s", before, cpu_by_part(system), bookings)
    report.notes.append(
        f"latency, sending mode {sending}: {len(counted):,} bookings, open loop at {RATE_PER_S}/s over HTTP after"
        f" {WARM_UP_S} s of warm-up, the"
        " whole system and the client on this machine; from just before the request to the commit that made the row;"
        f" sent at most {late_ms:.0f} ms behind the schedule"
    )
    answers = [answered[visit] for visit in counted]
    report.add(
        *_both("HTTP answer", answers, None),
        *_both("request to sub-file row", files, AIM_SUB_FILE_MS),
        *_both("request to the provider's inbox row", notices, AIM_INBOX_MS),
        *cpu,
    )


def _both(name: str, times_ms: list[float], aim: float | None) -> list[Figure]:
    return [
        figure(f"at {RATE_PER_S}/s: {name}, p50", "ms", percentile(times_ms, 0.5), aim),
        figure(f"at {RATE_PER_S}/s: {name}, p99", "ms", percentile(times_ms, 0.99), aim),
    ]


async def _post(system: Running, bookings: int) -> tuple[dict[str, datetime], dict[str, float], float]:
    """Return appointment id → when its request was begun, → how long its answer took, and the worst delay."""
    clock, sent, answered = RealClock(), dict[str, datetime](), dict[str, float]()
    began, late = time.perf_counter(), 0.0

    async def post(number: int) -> None:
        at, begun = clock.now(), time.perf_counter()
        answer = await system.upstream.post(booked(f"slow{number}", number, number))
        sent[answer["appointment_id"]] = at
        answered[answer["appointment_id"]] = (time.perf_counter() - begun) * 1000

    async with asyncio.timeout(bookings / RATE_PER_S + LONGEST_S), asyncio.TaskGroup() as group:
        for number in range(bookings):
            due = began + number / RATE_PER_S
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            late = max(late, time.perf_counter() - due)
            group.create_task(post(number))
    return dict(sorted(sent.items(), key=lambda item: item[1])), answered, late * 1000


async def _rows(system: Running, query: str, sent: dict[str, datetime]) -> list[float]:
    """Return the milliseconds from each request to the commit of its row, once all rows are there."""
    found: dict[str, datetime] = {}

    async def all_there() -> bool:
        found.update({row["appointment_id"]: row["at"] for row in await system.admin.fetch(query)})
        return found.keys() >= sent.keys()

    await until(all_there, LONGEST_S, every_s=0.5)
    return [(found[visit] - at).total_seconds() * 1000 for visit, at in sent.items()]


async def _settled(system: Running) -> None:
    """Wait until everybody who was registered is known to records, and nothing is left to publish."""

    async def all_known() -> bool:
        return bool(
            await system.admin.fetchval(
                "SELECT NOT EXISTS (SELECT FROM booking.outbox) AND"
                " (SELECT count(*) FROM records.patient WHERE main_file IS NOT NULL) ="
                " (SELECT count(*) FROM booking.patient WHERE main_file IS NOT NULL)"
            )
        )

    await until(all_known, LONGEST_S)
