"""A burst through a lane with a rate: who leaves, in which order, and who is told beforehand to be too late."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate, pairwise

import asyncpg

from bench.delivery.servers import Servers, place
from bench.harness import Report, figure, until
from bench.sending.carriers import carriers
from bench.sending.events import due, settings_of, tell
from bench.sending.lanes import CARRIER_MS
from bench.sending.people import fill, visits
from chassis.process.clock import RealClock
from notifier.settings import Settings
from notifier.wiring.service import build
from schemas.notifications import Channel
from schemas.topics import REMINDERS

PER_S = 80
FIRST_DEADLINE_S, DEADLINES_PER_S = 20, 111
"""More deadlines a second than may leave: from the 72nd second on some are late."""

LONGEST_S = 600


async def measure_rated(servers: Servers, report: Report, messages: int) -> None:
    """Let so many messages that are due at once leave at 80 a second, once; their deadlines come faster than that."""
    async with carriers(CARRIER_MS) as given, place(servers, "booking", "notifier") as own:
        settings = settings_of(
            own,
            twilio_base_url=given.url,
            twilio_auth_token="bench",  # noqa: S106 - for a carrier that takes any
            sms_per_second=PER_S,
        )
        now = RealClock().now()
        booked = list(visits(messages, now))
        await fill(own.admin_url, booked, by_email=False)
        first = FIRST_DEADLINE_S * min(1.0, messages / 20_000)
        begins = RealClock().now()
        deadlines = [begins + timedelta(seconds=first + n / DEADLINES_PER_S) for n in range(messages)]
        shuffled = ((n * 7919) % messages for n in range(messages))  # entered in another order than they must leave
        records = (due(visit, begins, deadlines[n]) for visit, n in zip(booked, shuffled, strict=True))
        await tell(settings, REMINDERS, records)
        admin = await asyncpg.connect(own.admin_url)
        try:
            waiting = [row[0] for row in await admin.fetch(_WAITING)]
            leave, late = forecast(waiting, RealClock().now(), PER_S)
            print(f"forecast: of {len(waiting):,} messages {leave:,} leave in time at {PER_S}/s, {late:,} are too late")
            cpu_s = await _send(admin, settings)
            await _tell(report, admin, (leave, late))
            report.add(figure("rated: the process's CPU", "µs/message", cpu_s / messages * 1e6))
        finally:
            await admin.close()


def forecast(deadlines: Sequence[datetime], begins: datetime, per_s: float) -> tuple[int, int]:
    """Return how many leave in time and how many do not, soonest deadline first, at a rate from an instant on."""
    sent = late = 0
    for deadline in sorted(deadlines):
        in_time = begins + timedelta(seconds=sent / per_s) <= deadline
        sent, late = sent + in_time, late + (not in_time)
    return sent, late


async def _send(admin: asyncpg.Connection, settings: Settings) -> float:
    """Run the lane until nothing waits; returns the CPU seconds it took."""
    cpu = time.process_time()
    async with build(settings, stop := asyncio.Event(), fanout=False, lanes=(Channel.SMS,)) as service:
        running = asyncio.create_task(service.run(stop))

        async def done() -> bool:
            return running.done() or bool(await admin.fetchval(_DONE))

        try:
            await until(done, LONGEST_S, every_s=0.5)
        finally:
            stop.set()
            await running
    return time.process_time() - cpu


async def _tell(report: Report, admin: asyncpg.Connection, foretold: tuple[int, int]) -> None:
    became = {(row["state"], row["reason"]): row["count"] for row in await admin.fetch(_BECAME)}
    calls = await admin.fetch(_CALLS)
    accepted = became.pop(("accepted", None), 0)
    late = became.pop(("skipped", "TOO_LATE"), 0) + became.pop(("failed", "TOO_LATE"), 0)
    highest = list(accumulate((row["not_after"] for row in calls), max))
    jumps = [(high - row["not_after"]).total_seconds() for high, row in zip(highest, calls[1:], strict=False)]
    overdue = sum(row["gated_at"] > row["not_after"] for row in calls)
    seconds = (calls[-1]["gated_at"] - calls[0]["gated_at"]).total_seconds()
    fullest = max(_in_each_second(calls))
    report.notes.append(
        f"rated: {accepted + late:,} SMS due at once through a lane of {PER_S}/s, deadlines at {DEADLINES_PER_S}/s;"
        " order: how much a call's deadline was sooner than that of one called before it"
    )
    report.add(
        figure(f"rated at {PER_S}/s: calls a second, over all", "calls/s", len(calls) / seconds, PER_S),
        figure(f"rated at {PER_S}/s: calls in the fullest second", "calls/s", fullest, PER_S),
        figure("rated: left in time : the forecast before", "messages", accepted, foretold[0]),
        figure("rated: recorded TOO_LATE : the forecast before", "messages", late, foretold[1]),
        figure("rated: anything else", "messages", sum(became.values())),
        figure("rated: calls after not_after", "calls", overdue),
        figure("rated: claimed, and given up before the call", "messages", await admin.fetchval(_GIVEN_UP)),
        figure("rated: out of the order of deadlines, worst", "s", max([0.0, *jumps])),
    )


def _in_each_second(calls: Sequence[asyncpg.Record]) -> list[int]:
    """Return how many calls were gated in each second from the first one on."""
    first = calls[0]["gated_at"]
    seconds = [int((row["gated_at"] - first).total_seconds()) for row in calls]
    edges = [0, *(n for n, (a, b) in enumerate(pairwise(seconds), 1) if a != b), len(seconds)]
    return [b - a for a, b in pairwise(edges)]


_WAITING = "SELECT not_after FROM notifier.notification WHERE state = 'queued'"
_DONE = "SELECT NOT EXISTS (SELECT FROM notifier.notification WHERE state IN ('queued', 'sending'))"
_BECAME = "SELECT state, reason, count(*) FROM notifier.notification GROUP BY 1, 2"
_GIVEN_UP = "SELECT count(*) FROM notifier.attempt WHERE outcome = 'not-started'"
_CALLS = """
SELECT made.gated_at, held.not_after FROM notifier.attempt AS made
JOIN notifier.notification AS held USING (notification_id)
WHERE made.outcome <> 'not-started' ORDER BY made.gated_at, held.not_after"""
