"""The load of the chaos tests: bookings that flow at a bounded rate, sent again until they are answered (G1)."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx2

from stack.demo.changes import Change
from stack.demo.client import Client, Refused, gather_by_key
from stack.demo.found import Names
from stack.demo.people import Patient

CLINICS = ("CHAOSA", "CHAOSB", "CHAOSC", "CHAOSD")
SOURCE = "local"
ZONE = "Europe/London"
SENDERS = 8
PATIENCE_S = 300.0
"""Longer than any part needs to come back, on a machine with many times its load too."""

Fault = Callable[[], Awaitable[None]]


@dataclass
class Load:
    """Who books what, in waves: first all bookings, then the changes of some of them."""

    patients: dict[str, Patient]
    providers: dict[str, str]
    bookings: list[Change]
    changes: list[Change]

    @property
    def starts(self) -> list[datetime]:
        """Return the distinct starts of all visits, ascending."""
        return sorted({change.start for change in [*self.bookings, *self.changes]})


def write_load(now: datetime, bookings: int = 2000, patients: int = 500) -> Load:
    """Return a load whose visits begin at four full hours three days ahead; a tenth moves, a tenth is cancelled.

    In the early afternoon: all reminders fall into the clinics' hours, those of the day before after its noon.
    """
    first = now.replace(hour=13, minute=0, second=0, microsecond=0) + timedelta(days=3)
    people = {f"chaos-p{n}": _patient(n) for n in range(patients)}
    booked = [_booking(n, patients, now, first) for n in range(bookings)]
    later = now + timedelta(minutes=5)
    moved = [b.then(later, "moved", start=b.start + timedelta(days=1)) for b in booked[::10]]
    cancelled = [b.then(later, "cancelled", status="cancelled") for b in booked[5::10]]
    return Load(people, {f"dr-chaos-{n}": f"Dr {n}" for n in range(5)}, booked, moved + cancelled)


def _patient(n: int) -> Patient:
    return Patient(f"chaos-p{n}", "Ada", "Abara", f"+1718{2_000_000 + n}", f"chaos-p{n}@example.org" if n % 3 else None)


def _booking(n: int, patients: int, now: datetime, first: datetime) -> Change:
    return Change(
        at=now,
        event_id=f"chaos-{n}:booked",
        appointment=f"chaos-{n}",
        status="booked",
        patient=f"chaos-p{n % patients}",
        clinic=CLINICS[n // patients % len(CLINICS)],
        zone=ZONE,
        start=first + timedelta(hours=n % 4),
        provider=f"dr-chaos-{n % 5}",
    )


@dataclass
class Upstream:
    """Posts changes one by one and keeps each until it is answered.

    Attributes:
        answered: Appointment id → highest version answered 2xx: the driver's log.
        resent: How many posts had to be sent again.
    """

    client: Client
    names: Names = field(default_factory=Names)
    answered: dict[str, int] = field(default_factory=dict)
    resent: int = 0

    async def register(self, load: Load) -> None:
        """Enter clinics, providers and patients, before any fault."""
        for code in CLINICS:
            body = {"name": f"Clinic {code}", "zone": ZONE, "languages": ["en"], "country": "GB"}
            await self.client.ask("booking", "PUT", f"/v1/clinics/{code}", body)
        for key, name in load.providers.items():
            answer = await self.client.ask("booking", "PUT", f"/v1/providers/{key}", {"name": name}, source=SOURCE)
            self.names.providers[key] = answer["provider_id"]

        async def enter(key: str) -> str:
            path = f"/v1/patients/{key}"
            answer = await self.client.ask("booking", "PUT", path, load.patients[key].body(), source=SOURCE)
            return str(answer["patient_id"])

        self.names.patients.update(await gather_by_key(load.patients, enter))

    async def flow(self, changes: Sequence[Change], per_second: float, faults: Sequence[Fault] = ()) -> None:
        """Post the changes at a bounded rate, with the faults spread evenly among them, and wait for both."""
        queue: asyncio.Queue[Change] = asyncio.Queue(SENDERS)
        every = len(changes) // (len(faults) + 1)
        async with asyncio.TaskGroup() as group:
            senders = [group.create_task(self._send(queue)) for _ in range(SENDERS)]
            falling: asyncio.Task[None] | None = None
            pending = list(faults)
            for posted, change in enumerate(changes):
                if posted and pending and posted % every == 0:
                    if falling:
                        await falling
                    falling = group.create_task(_run(pending.pop(0)))
                await queue.put(change)
                await asyncio.sleep(1 / per_second)
            await queue.join()
            for sender in senders:
                sender.cancel()

    async def _send(self, queue: asyncio.Queue[Change]) -> None:
        while True:
            change = await queue.get()
            await self._until_answered(change)
            queue.task_done()

    async def _until_answered(self, change: Change) -> None:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = await self.client.ask("booking", "POST", "/v1/events", change.body())
                break
            except (httpx2.HTTPError, Refused) as error:
                final = isinstance(error, Refused) and error.status < 500
                if final or time.monotonic() > until:
                    raise
                self.resent += 1
                await asyncio.sleep(0.2)
        assert answer["result"] in {"applied", "repeat"}, (change, answer)
        known = answer["appointment_id"]
        self.names.appointments[change.appointment] = known
        self.answered[known] = max(self.answered.get(known, 0), answer["version"])


async def _run(fault: Fault) -> None:
    await fault()


def as_posted(load: Load) -> list[Change]:
    """Return every change of the load, in order."""
    return [*load.bookings, *load.changes]
