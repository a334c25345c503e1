"""The running system on the benchmark's servers, and an upstream that speaks to it."""

import asyncio
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import psutil

from bench.delivery.servers import Servers, database
from stack import services
from stack.supervisor import System

CLINICS = 20
PROVIDERS = 50
AT_ONCE = 16


class Upstream:
    """One booking system: its requests, over kept connections."""

    def __init__(self, session: aiohttp.ClientSession, booking_url: str) -> None:
        self._session = session
        self._url = booking_url

    async def post(self, body: object) -> Any:
        """Send an event, or a batch of them, and return the answer.

        Raises:
            aiohttp.ClientResponseError: The answer is not 2xx.
        """
        async with self._session.post(f"{self._url}/v1/events", json=body) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def put(self, place: str, body: object) -> None:
        """Store one clinic, provider or patient.

        Raises:
            aiohttp.ClientResponseError: The answer is not 2xx.
        """
        async with self._session.put(f"{self._url}/v1/{place}", json=body) as answer:
            answer.raise_for_status()

    async def introduce(self, patients: int) -> None:
        """Register the clinics, the providers and so many patients."""
        for number in range(CLINICS):
            await self.put(
                f"clinics/CL{number:03d}", {"name": f"Clinic {number}", "zone": "Europe/London", "country": "GB"}
            )
        people: list[tuple[str, object]] = [(f"providers/dr-{n}", {"name": f"Dr {n}"}) for n in range(PROVIDERS)]
        people += [(f"patients/p-{n}", patient(n)) for n in range(patients)]
        await each(people, lambda place_and_body: self.put(*place_and_body))


def patient(number: int) -> dict[str, object]:
    """Return the body of a registration."""
    return {
        "given_name": "Ann",
        "family_name": f"Other {number}",
        "language": "en",
        "email": f"ann{number}@example.org",
        "consent": True,
    }


async def each(items: Iterable[Any], work: Any, at_once: int = AT_ONCE) -> None:
    """Do the work for every item, so many at once."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())


class Running:
    """A running system.

    Attributes:
        system: Its supervisor.
        upstream: The client `local`.
        admin: A connection that sees every schema.
        prefix: Of its topics.
    """

    def __init__(self, system: System, upstream: Upstream, admin: asyncpg.Connection, prefix: str) -> None:
        self.system = system
        self.upstream = upstream
        self.admin = admin
        self.prefix = prefix

    def cpu_s(self, service: str) -> float:
        """Return the CPU seconds that the service's process has used."""
        state = self.system.state
        parts = {part.name: part.process for part in state.parts} if state else {}
        process = parts.get(service)
        if process is None:
            return 0.0
        times = psutil.Process(process.pid).cpu_times()
        return float(times.user + times.system)


@asynccontextmanager
async def running(servers: Servers, *names: str, sending: str = "live") -> AsyncIterator[Running]:
    """Start these services (all if none is named) on an empty database for the block, in this sending mode."""
    chosen = [service for service in services.ALL if not names or service.name in names]
    prefix = f"b{uuid.uuid4().hex[:6]}."
    async with database(servers) as admin_url:
        with tempfile.TemporaryDirectory(prefix="attend-bench-", ignore_cleanup_errors=True) as home:
            system = System(
                Path(home),
                ports="free",
                env={"ATTEND_LOG_LEVEL": "warning", "NOTIFIER_SENDING_MODE": sending},
                topic_prefix=prefix,
                kafka_bootstrap=servers.bootstrap,
                database_admin_url=admin_url,
                run=chosen,
            )
            await asyncio.to_thread(system.start)
            try:
                headers = {"Authorization": f"Bearer {system.key}"}
                connector = aiohttp.TCPConnector(limit=256)
                async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
                    admin = await asyncpg.connect(admin_url)
                    try:
                        yield Running(system, Upstream(session, system.urls["booking"]), admin, prefix)
                    finally:
                        await admin.close()
            finally:
                await asyncio.to_thread(system.stop)
