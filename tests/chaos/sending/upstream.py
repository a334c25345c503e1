"""Booking as a process of its own, and an upstream that books and cancels through its door."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2

from booking.door import client_keys
from booking.door.domain import Client
from chassis.postgres.database import Pool
from stack.ports import free_port
from tests.support.installation import Installation
from tests.support.notifier.bookings_tables import MONDAY
from tests.support.notifier.running import CLINIC, RunningNotifier
from tests.support.waiting import until

KEY = "the key of the upstream, long enough for anybody"
SOURCE = "local"
BATCH = 250


@dataclass
class Upstream:
    """What was booked, and when each cancellation was answered.

    Attributes:
        visits: Appointment ids in the order of the visits' starts.
        cancelled: Appointment id → (version of the cancellation, machine time of its 2xx in seconds since the epoch).
    """

    http: httpx2.AsyncClient
    admin: asyncpg.Connection
    visits: list[UUID] = field(default_factory=list)
    cancelled: dict[UUID, tuple[int, float]] = field(default_factory=dict)

    async def register(self, number: int) -> None:
        """Enter so many patients, each with a mobile and an email of his own."""
        people = [(uuid4(), n) for n in range(number)]
        await self.admin.executemany(
            """
            INSERT INTO booking.patient
                (patient_id, version, main_file, given_name, family_name, language, mobile, email)
            VALUES ($1, 1, 'FILE-2027-' || lpad($2::int::text, 6, '0'), 'Ada', 'Abara', 'en',
                    '+4420718' || lpad($2::int::text, 5, '0'), 'ada' || $2::int || '@example.org')""",
            people,
        )
        await self.admin.executemany(
            f"INSERT INTO booking.patient_alias VALUES ('{SOURCE}', $2::int::text, $1)",  # noqa: S608  # our own word
            people,
        )

    async def book(self, number: int) -> None:
        """Book a visit for each patient, a minute apart, in batches."""
        first = MONDAY + timedelta(days=2)
        for begin in range(0, number, BATCH):
            events = [_booked(n, first) for n in range(begin, min(begin + BATCH, number))]
            results = (await self._post({"events": events}))["results"]
            self.visits += [UUID(result["appointment_id"]) for result in results]

    async def cancel(self, n: int) -> None:
        """Cancel the n-th visit and write down when that was answered."""
        answer = await self._post({"event_id": f"c{n}", "appointment": {"id": str(n), "status": "cancelled"}})
        self.cancelled[UUID(answer["appointment_id"])] = answer["version"], time.time()

    async def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.http.post("/v1/events", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def _booked(n: int, first: Any) -> dict[str, Any]:
    start = first + timedelta(minutes=n)
    appointment = {
        "id": str(n),
        "status": "booked",
        "patient": {"id": str(n)},
        "clinic": CLINIC,
        "service_type": "Physiotherapy",
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=30)).isoformat(),
    }
    return {"event_id": f"b{n}", "appointment": appointment}


@asynccontextmanager
async def booking(notifier: RunningNotifier, installation: Installation) -> AsyncIterator[Upstream]:
    """Run booking for the block."""
    client = Client(SOURCE, (SOURCE,), may_register=True, may_manage_clinics=True)
    await client_keys.create(await installation.pool("booking"), client, KEY)
    port, asked = free_port(), free_port()
    ports = {"BOOKING_HTTP_PORT": str(port), "BOOKING_OPERATIONS_PORT": str(asked)}
    environment = {**os.environ, **notifier.given, **ports, "ATTEND_LOG_LEVEL": "warning"}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "booking", "run", env=environment)
    admin = await asyncpg.connect(installation.admin_url)
    headers = {"Authorization": f"Bearer {KEY}"}
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as http:

            async def ready() -> bool:
                try:
                    return (await http.get(f"http://127.0.0.1:{asked}/health/ready")).is_success
                except httpx2.ConnectError:
                    return False

            await until(ready)
            yield Upstream(http, admin)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
        await admin.close()


async def settled(pool: Pool, kinds: Sequence[str], number: int) -> bool:
    """Say whether there are so many messages of these kinds and none of them is still worked on."""
    row = await pool.fetchrow(
        """
        SELECT count(*) AS entered, count(*) FILTER (WHERE state IN ('queued', 'sending')) AS open
        FROM notification WHERE kind = ANY($1::text[])""",
        list(kinds),
    )
    assert row is not None
    return bool(row["entered"] == number and row["open"] == 0)
