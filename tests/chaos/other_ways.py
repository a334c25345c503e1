"""What comes in beside single posts while parts are killed: `bookings-inbound`, registrations, merges, a policy change.

Its patients have no contact, so nothing of it reaches a carrier: what must come of it is judged here, by itself.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx2
import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.topics import BOOKINGS_INBOUND
from stack.demo.client import AS_OPERATOR, Client, Refused, gather_by_key
from tests.chaos.load import PATIENCE_S, SOURCE, ZONE

CLINIC = "CHAOSX"
POLICY = {"rules": [{"lead_hours": 48}, {"lead_hours": 2}]}
"""In the place of the default, 24 and 2 hours."""
SEND_TIMEOUT_S = 30.0


@dataclass
class OtherWays:
    """Visits by Kafka, of patients who are registered, merged and given other rules under faults.

    Attributes:
        client: The way to the APIs, with a key that may do all of it.
        bootstrap: The broker.
        starts: When the visits begin, in turn.
        people: How many patients, each registered twice: as p and as its double, which is merged into p.
        patients: Source id → patient id.
        main_files: Every number that a registration was answered with, by source id.
        events: The ids of all events sent.
    """

    client: Client
    bootstrap: str
    starts: list[datetime]
    people: int = 40
    patients: dict[str, str] = field(default_factory=dict)
    main_files: dict[str, str] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)

    @property
    def visits(self) -> dict[str, str]:
        """Return visit → patient as booked: one of each p and one of its double."""
        doubles = {f"chaos-x{n}-double": f"chaos-x{n}-p-double" for n in range(self.people)}
        return {f"chaos-x{n}": f"chaos-x{n}-p" for n in range(self.people)} | doubles

    @property
    def cancelled(self) -> set[str]:
        """Return the visits that are cancelled later: a fifth."""
        return set(list(self.visits)[::5])

    async def enter_clinic(self) -> None:
        """Enter the clinic, before any fault."""
        body = {"name": f"Clinic {CLINIC}", "zone": ZONE, "languages": ["en"], "country": "GB"}
        await self.client.ask("booking", "PUT", f"/v1/clinics/{CLINIC}", body)

    async def book(self) -> None:
        """Register everybody, and write every booking to the topic."""
        await self._write([self._event(name, "booked") for name in self.visits])
        for name in self.visits.values():
            answer = await self._answered("PUT", f"/v1/patients/{name}", {"given_name": "Ada"}, source=SOURCE)
            self.patients[name], self.main_files[name] = answer["patient_id"], answer["main_file"]

    async def change(self) -> None:
        """Give the clinic other rules, merge each double into its patient, and cancel a fifth by the topic."""
        path = f"/v1/clinics/{CLINIC}/reminder-policy"
        await _until_done(lambda: self.client.ask(AS_OPERATOR, "PUT", path, POLICY))
        await self._write([self._event(name, "cancelled") for name in sorted(self.cancelled)])
        for n in range(self.people):
            path, into = f"/v1/patients/chaos-x{n}-p-double/merge", {"into": {"id": f"chaos-x{n}-p"}}
            await self._answered("POST", path, {**into, "reason": "registered twice"}, source=SOURCE)

    def _event(self, visit: str, status: str) -> tuple[str, dict[str, Any]]:
        number = list(self.visits).index(visit)
        start = self.starts[number % len(self.starts)]
        appointment = {
            "id": visit, "status": status, "patient": {"id": self.visits[visit]}, "clinic": CLINIC,
            "start": start.isoformat(), "end": (start + timedelta(minutes=30)).isoformat(),
        }  # fmt: skip
        sequence = {"booked": 1, "cancelled": 2}[status]
        return visit, {"event_id": f"{visit}:{status}", "sequence": sequence, "appointment": appointment}

    async def _write(self, events: list[tuple[str, dict[str, Any]]]) -> None:
        """Write each event until the broker has it: twice is as good as once."""
        for visit, body in events:
            await _until_done(lambda visit=visit, body=body: self._written(visit, body))  # type: ignore[misc]
            self.events.append(body["event_id"])

    async def _written(self, visit: str, body: dict[str, Any]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, enable_idempotence=True, linger_ms=0)
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await producer.start()
                await producer.send_and_wait(BOOKINGS_INBOUND.name, orjson.dumps(body), visit.encode())
        finally:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await producer.stop()

    async def _answered(self, method: str, path: str, body: object, **query: str) -> dict[str, Any]:
        return await _until_done(lambda: self.client.ask("booking", method, path, body, **query))

    async def violations(self) -> list[str]:
        """Return what is not as it must be, when all is quiet and every reminder has left."""
        results = await gather_by_key(
            self.events, lambda event: self.client.ask("booking", "GET", f"/v1/inbound/{event}")
        )
        ids = {event.partition(":")[0]: told.get("appointment_id") for event, told in results.items()}
        known = [visit for visit, appointment in ids.items() if appointment]
        visits = await gather_by_key(known, lambda visit: self.client.appointment(str(ids[visit])))
        reminders = await gather_by_key(known, lambda visit: self.client.reminders(str(ids[visit])))
        return self.judge(results, visits, reminders)

    def judge(
        self, results: dict[str, Any], visits: dict[str, dict[str, Any]], reminders: dict[str, list[dict[str, Any]]]
    ) -> list[str]:
        """Return what of this is not as it must be.

        Args:
            results: Event id → what booking says became of it.
            visits: Visit → the appointment as it is now.
            reminders: Visit → its reminder records.
        """
        lost = [f"{event}: {told['result']}" for event, told in results.items() if told["result"] not in _TAKEN]
        missing = [f"{visit}: never booked" for visit in self.visits if visit not in visits]
        found = [*lost, *missing, *self._registered_once()]
        for visit, now in visits.items():
            found += self._visit(visit, now)
            found += self._reminders(visit, reminders[visit])
        return [f"other ways: {line}" for line in found]

    async def _result(self, event: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.client.ask("booking", "GET", f"/v1/inbound/{event}")
        return found

    def _registered_once(self) -> Iterator[str]:
        if len(set(self.main_files.values())) != len(self.main_files):
            yield "a main-file number was given twice"
        if len(set(self.patients.values())) != 2 * self.people:
            yield f"{len(set(self.patients.values()))} patients of {2 * self.people}"

    def _visit(self, visit: str, now: dict[str, Any]) -> Iterator[str]:
        wanted = {"cancelled"} if visit in self.cancelled else {"booked", "noshow"}
        if now["status"] not in wanted:
            yield f"{visit} is {now['status']}"
        kept = self.patients[self.visits[visit].removesuffix("-double")]
        if now["patient_id"] != kept and visit not in self.cancelled:  # what was cancelled may stay where it was
            yield f"{visit} is still the merged patient's"

    def _reminders(self, visit: str, rows: list[dict[str, Any]]) -> Iterator[str]:
        if open_ones := [row["rule"] for row in rows if row["status"] == "SCHEDULED"]:
            yield f"{visit}: no outcome of {open_ones}"
        rules = sorted(row["rule"] for row in rows)
        superseded = {row["rule"] for row in rows if row["reason"] == "SUPERSEDED"}
        if visit not in self.cancelled and (rules, superseded) != (["24h", "2h", "48h"], {"24h"}):
            yield f"{visit}: rules {rules}, of them superseded {sorted(superseded)}"


_TAKEN = frozenset({"applied", "repeat"})


async def _until_done[T](call: Callable[[], Awaitable[T]]) -> T:
    """Do it again until it is done: whatever was not answered may or may not have been taken (G1)."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await call()
        except (httpx2.HTTPError, Refused, KafkaError, OSError, TimeoutError) as error:
            final = isinstance(error, Refused) and error.status < 500
            if final or time.monotonic() > until:
                raise
            await asyncio.sleep(0.2)
