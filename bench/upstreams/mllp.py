"""Messages over MLLP until each is durable and its event is in `appointments`, beside what the machine allows."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import psutil

from bench.delivery.running import Running, running
from bench.delivery.servers import Servers
from bench.harness import Report, figure, interleaved, median, until
from bench.upstreams import peer
from bench.upstreams.messages import CLINIC, of_lanes
from bench.upstreams.senders import send
from booking.door.domain import Client
from booking.formats.hl7v2.format import asked
from booking.formats.hl7v2.segments import read
from booking.formats.port import Hints
from booking.profiles.current import Profiles
from chassis.process.clock import RealClock

AIM_A_CORE = 2_000
LANES = 8
WINDOW = 50
STRICT_LANES = 64
LONGEST_S = 300
LISTENER, SERVICE = "booking-mllp", "booking"


@dataclass(frozen=True, slots=True)
class Took:
    """What a number of messages took; CPU in microseconds a message.

    Attributes:
        per_s: Messages a second, from the first byte until the last event is published.
    """

    per_s: float
    listener_us: float = 0.0
    service_us: float = 0.0
    database_us: float = 0.0


async def measure_mllp(servers: Servers, report: Report, messages: int, rounds: int) -> None:
    """Measure ours, a peer and the reading alone, interleaved."""
    async with running(servers, SERVICE, LISTENER) as system:
        clinic = {"name": "Eye Clinic", "zone": "Europe/London", "country": "GB"}
        named = {"identifiers": [{"system": "AIL-3.4", "value": CLINIC}]}
        await system.upstream.put(f"clinics/{CLINIC}", clinic | named)
        run = iter(range(10_000))
        found = await interleaved(
            rounds,
            {
                "ours": lambda: _ours(system, messages, LANES, WINDOW, f"r{next(run)}x"),
                "strict": lambda: _ours(system, messages // 4, STRICT_LANES, 1, f"r{next(run)}x"),
                "peer": lambda: _peer(messages // 4),
                "reading": lambda: asyncio.to_thread(_alone, messages // 4, mapped=False),
                "mapping": lambda: asyncio.to_thread(_alone, messages // 4, mapped=True),
            },
        )
        doubled = await system.admin.fetchval(
            "SELECT count(*) FROM (SELECT FROM booking.appointment_alias WHERE source_id LIKE 'filler|%'"
            " GROUP BY source, source_id HAVING count(DISTINCT appointment_id) > 1)"
        )
    report.notes.append(
        f"MLLP: doubled {doubled}; lost 0: every message was accepted, kept and published, or the run ends"
    )
    _tell(report, found)


def _tell(report: Report, found: dict[str, list[Took]]) -> None:
    def middle(name: str, of: str) -> float:
        return median([getattr(one, of) for one in found[name]])

    a_core = median([1e6 / (one.listener_us + one.service_us) for one in found["ours"]])
    mapping, reading, other = (middle(name, "per_s") for name in ("mapping", "reading", "peer"))
    report.add(
        figure(
            "MLLP to `appointments`, a core of booking's (listener and relay); aim", "messages/s", a_core, AIM_A_CORE
        ),
        figure("the same : read and mapped, and nothing kept", "messages/s", a_core, mapping),
        figure("the same : read alone", "messages/s", a_core, reading),
        figure("the same : peer, hl7's own listener, parses, acknowledges, keeps nothing", "messages/s", a_core, other),
        figure(
            f"{LANES} connections, {WINDOW} under way on each, until all is published",
            "messages/s",
            middle("ours", "per_s"),
        ),
        figure(f"{STRICT_LANES} connections, each waits for every answer", "messages/s", middle("strict", "per_s")),
        figure("the listener", "µs CPU/message", middle("ours", "listener_us")),
        figure("the service that publishes", "µs CPU/message", middle("ours", "service_us")),
        figure("PostgreSQL", "µs CPU/message", middle("ours", "database_us")),
    )
    report.notes.append("MLLP: senders, listener, service, Kafka and PostgreSQL share the cores")


async def _ours(system: Running, messages: int, lanes: int, window: int, prefix: str) -> Took:
    port = int(system.system.urls[LISTENER].rpartition(":")[2])
    sent = of_lanes(messages, lanes, prefix)
    count = sum(map(len, sent))
    before, kept = _cpu(system), await _kept(system)
    began = time.perf_counter()
    accepted = await send(port, sent, window)
    assert accepted == count, f"{count - accepted} of {count} messages were refused"
    await until(lambda: _published(system, kept + count), LONGEST_S)
    took, after = time.perf_counter() - began, _cpu(system)
    return Took(count / took, *((now - then) / count * 1e6 for now, then in zip(after, before, strict=True)))


def _cpu(system: Running) -> tuple[float, float, float]:
    """Return the seconds of CPU of the listener, the service, and the database server."""
    database = sum(_seconds(one) for one in psutil.process_iter(["name"]) if one.info["name"] == "postgres")
    return system.cpu_s(LISTENER), system.cpu_s(SERVICE), database


async def _kept(system: Running) -> int:
    return int(await system.admin.fetchval("SELECT count(*) FROM booking.ingress"))


async def _published(system: Running, messages: int) -> bool:
    if await system.admin.fetchval("SELECT EXISTS (SELECT FROM booking.outbox)"):
        return False
    return await _kept(system) >= messages


async def _peer(messages: int) -> Took:
    """Return the rate of a core: its CPU time counts, not the wall's."""
    sent = of_lanes(messages, LANES, "peer")
    with peer.listening() as (port, process):
        await until(lambda: _answers(port), peer.LONGEST_START_S)
        before = _seconds(process)
        accepted = await send(port, sent, WINDOW)
        assert accepted == sum(map(len, sent))
        return Took(accepted / (_seconds(process) - before))


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _alone(messages: int, *, mapped: bool) -> Took:
    """Return the rate of a core for reading messages, and mapping them to commands if it is asked for."""
    (sent,) = of_lanes(messages, 1, "alone")
    hints = Hints(Client("bench", ("bench",)), RealClock().now(), "bench", None, Profiles.fixed({}))
    began = time.thread_time()
    for body in sent:
        if mapped:
            asked(body, hints)
        else:
            read(body)
    return Took(len(sent) / (time.thread_time() - began))


def _seconds(process: psutil.Process) -> float:
    try:
        times: Any = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)
