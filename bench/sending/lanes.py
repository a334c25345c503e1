"""One lane at full speed against carriers that take everything, beside a bare loop with as many calls at once."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import aiosmtplib
import asyncpg
import httpx2
import orjson

from bench.delivery.servers import Place, Servers, place
from bench.harness import Cpu, Report, figure, interleaved, median, until
from bench.sending.carriers import LOOPBACK, Carriers, carriers
from bench.sending.events import changed, due, settings_of, tell
from bench.sending.people import fill, visits
from chassis.process.clock import RealClock
from notifier.settings import Settings
from notifier.wiring.service import build
from schemas.notifications import Channel
from schemas.topics import APPOINTMENTS, REMINDERS

SMS_SLOTS = 64
CARRIER_MS = 20
SMTP_CONNECTIONS = 16
AIM = 0.5
LONGEST_S = 240
NUMBER, SENDER, ADDRESS = "+447700900123", "appointments@attend.example", "ann@example.org"
BODY = "Ann, we expect you at Clinic 1 on Wednesday 25 November 2026 at 14:30. Reply STOP to stop these messages."


@dataclass(frozen=True, slots=True)
class Run:
    """One measured loop.

    Attributes:
        per_s: Messages a second.
        cpu_us: CPU of the sending process for each.
        postgres_us: CPU of the database server for each; 0 if it is not ours or not used.
    """

    per_s: float
    cpu_us: float
    postgres_us: float = 0.0


async def measure_http(servers: Servers, report: Report, messages: int, rounds: int) -> None:
    """SMS: 64 slots against a carrier of 20 ms, beside 64 bare httpx2 calls at once."""
    async with carriers(CARRIER_MS) as given:
        measures = {
            "ours": lambda: _ours(servers, given, Channel.SMS, messages),
            "bare": lambda: bare_http(given, messages, SMS_SLOTS),
        }
        runs = await interleaved(rounds, measures)
    report.notes.append(
        f"sms: {messages:,} due messages, {SMS_SLOTS} slots, a carrier of {CARRIER_MS} ms; from the first"
        f" attempt written down until every answer is written down and published; medians of {rounds} rounds; aim {AIM}"
    )
    _tell(report, "sms lane : bare httpx2 loop", runs)


async def measure_smtp(servers: Servers, report: Report, messages: int, rounds: int) -> None:
    """Email: confirmations with a calendar entry, beside bare aiosmtplib with as many connections and bytes.

    Once with a server that needs 20 ms to queue a mail, as the SMS carrier does; once with one that takes it at once.
    """
    for delay_ms, share in ((CARRIER_MS, 1), (0, 2)):
        await _measure_smtp(servers, report, messages // share, rounds, delay_ms)


async def _measure_smtp(servers: Servers, report: Report, messages: int, rounds: int, delay_ms: int) -> None:
    async with carriers(delay_ms) as given:
        sizes: list[int] = []

        async def ours() -> Run:
            before = given.taken()
            run = await _ours(servers, given, Channel.EMAIL, messages)
            after = given.taken()
            sizes.append((after.smtp_bytes - before.smtp_bytes) // max(1, after.smtp - before.smtp))
            return run

        runs = await interleaved(
            rounds, {"ours": ours, "bare": lambda: bare_smtp(given, messages, SMTP_CONNECTIONS, sizes[-1])}
        )
    report.notes.append(
        f"email: {messages:,} confirmations of {sizes[-1]:,} bytes with their calendar entry, {SMTP_CONNECTIONS}"
        f" connections, a server of {delay_ms} ms a mail; medians of {rounds} rounds"
        + (f"; aim {AIM}" if delay_ms else "")
    )
    _tell(report, f"email lane, server of {delay_ms} ms : bare aiosmtplib loop", runs)


def _tell(report: Report, name: str, runs: Mapping[str, Sequence[Run]]) -> None:
    per_s, cpu = ({key: median([getattr(r, what) for r in found]) for key, found in runs.items()} for what in WHAT)
    report.add(
        figure(name, "messages/s", per_s["ours"], per_s["bare"]),
        figure(f"{name}, the process's CPU", "µs/message", cpu["ours"], cpu["bare"]),
        figure(f"{name}, PostgreSQL's CPU", "µs/message", median([run.postgres_us for run in runs["ours"]])),
    )


WHAT = ("per_s", "cpu_us")


async def _ours(servers: Servers, given: Carriers, channel: Channel, messages: int) -> Run:
    async with place(servers, "booking", "notifier") as own:
        settings = settings_of(
            own,
            twilio_base_url=given.url,
            twilio_auth_token="bench",  # noqa: S106 - for a carrier that takes any
            sms_slots=SMS_SLOTS,
            smtp_host=LOOPBACK,
            smtp_port=given.smtp_port,
            email_slots=SMTP_CONNECTIONS,
        )
        await enter(own, settings, channel, messages)
        return await run_lane(own, settings, channel, messages)


async def enter(own: Place, settings: Settings, channel: Channel, messages: int) -> None:
    """Enter due messages of a channel through the fan-out: reminders by SMS, or confirmations by email."""
    now, by_email = RealClock().now(), channel is Channel.EMAIL
    booked = list(visits(messages, now))
    await fill(own.admin_url, booked, by_email=by_email)
    if by_email:
        await tell(settings, APPOINTMENTS, (changed(visit, now) for visit in booked))
    else:
        await tell(settings, REMINDERS, (due(visit, now, now + timedelta(hours=18)) for visit in booked))
    admin = await asyncpg.connect(own.admin_url)
    try:
        await admin.execute("DELETE FROM notifier.outbox")  # of the providers' notices: not the lane's work
        await admin.execute("VACUUM ANALYZE notifier.notification")
        queued = await admin.fetchval("SELECT count(*) FROM notifier.notification WHERE state = 'queued'")
    finally:
        await admin.close()
    assert queued == messages, f"{queued} of {messages} messages are queued"


async def run_lane(own: Place, settings: Settings, channel: Channel, messages: int) -> Run:
    """Run one lane in this process until everything is accepted and published."""
    admin = await asyncpg.connect(own.admin_url)
    try:
        async with build(settings, stop := asyncio.Event(), fanout=False, lanes=(channel,)) as service:
            servers_cpu, cpu = Cpu.now(), time.process_time()
            running = asyncio.create_task(service.run(stop))

            async def done() -> bool:
                return running.done() or bool(await admin.fetchval(_DONE))

            try:
                await until(done, LONGEST_S, every_s=0.02)
                wall = (await admin.fetchval(_SINCE_FIRST)).total_seconds()
                cpu = time.process_time() - cpu
                database = Cpu.now().since(servers_cpu, "postgres")
            finally:
                stop.set()
                await running
        became = {tuple(row) for row in await admin.fetch(_BECAME)}
    finally:
        await admin.close()
    assert became == {("accepted", channel.value, None, 1, messages)}, became
    return Run(messages / wall, cpu / messages * 1e6, database / messages * 1e6)


_BECAME = """
SELECT state, lane, reason, attempts, count(*) FROM notifier.notification
WHERE recipient = 'patient' GROUP BY 1, 2, 3, 4"""
_DONE = """
SELECT NOT EXISTS (SELECT FROM notifier.notification WHERE state IN ('queued', 'sending'))
   AND NOT EXISTS (SELECT FROM notifier.outbox)"""
_SINCE_FIRST = "SELECT clock_timestamp() - min(gated_at) FROM notifier.attempt"


async def bare_http(given: Carriers, messages: int, at_once: int) -> Run:
    """Post as many messages with httpx2 and nothing else, so many at once."""
    form = {"To": NUMBER, "From": "+15005550006", "Body": BODY}
    path, numbers = "/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json", iter(range(messages))
    async with httpx2.AsyncClient(
        base_url=given.url, limits=httpx2.Limits(max_connections=at_once), timeout=10.0, trust_env=False
    ) as client:

        async def worker(numbers: Iterator[int]) -> None:
            for _ in numbers:
                answer = await client.post(path, data=form, headers={"Authorization": "Basic YmVuY2g6YmVuY2g="})
                assert orjson.loads(answer.content)["sid"]

        began, cpu = time.perf_counter(), time.process_time()
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(worker(numbers))
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    return Run(messages / wall, cpu / messages * 1e6)


async def bare_smtp(given: Carriers, messages: int, connections: int, size: int) -> Run:
    """Hand over as many mails of that size with aiosmtplib and nothing else, over so many kept connections."""
    head = f"From: {SENDER}\r\nTo: {ADDRESS}\r\nSubject: bench\r\n\r\n"
    line = "x" * 76 + "\r\n"
    mail = (head + line * max(1, (size - len(head)) // len(line))).encode()
    numbers = iter(range(messages))

    async def worker() -> None:
        async with aiosmtplib.SMTP(hostname=LOOPBACK, port=given.smtp_port, start_tls=False) as client:
            for _ in numbers:
                await client.sendmail(SENDER, [ADDRESS], mail)

    began, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(worker())
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    return Run(messages / wall, cpu / messages * 1e6)
