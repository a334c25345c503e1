"""Booking on a port, the services that ask it beside it, and visits of which a client sees one (decision 0048)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import httpx2
from fastapi import FastAPI
from pydantic import SecretStr

import notifier.settings
import notifier.wiring.service
import records.settings
import records.wiring
import reminders.settings
import reminders.wiring
from booking.door.domain import Client
from chassis.api.app import serve
from chassis.api.booking_rights import booking_rights
from stack.ports import free_port
from tests.support.booking.door import OPERATOR_KEY, Door, booking, opened_on_kafka
from tests.support.installation import ADDRESS_PEPPER, Installation

FILES = """
INSERT INTO sub_file (sub_file_id, version, status, number, patient_id, clinic_id, ordinal, appointment_id, caused_by,
                      created_at)
VALUES ($1, 1, 'ACTIVE', 'FILE-2027-' || $5::text || '-EYE-01', $2, $3, 1, $4, 'x', now())"""
FILED = "INSERT INTO appointment (appointment_id, version, patient_id, clinic_id) VALUES ($1, 1, $2, $3)"
REMINDER = """
INSERT INTO reminder (reminder_id, appointment_id, schedule_gen, version, status, rule, patient_id, clinic_id,
                      scheduled_for, changed_at, caused_by)
VALUES ($1, $2, 1, 1, 'SCHEDULED', '24h', $3, $4, '2027-03-11T10:00:00Z', now(), 'x')"""
MESSAGE = """
INSERT INTO notification (notification_id, version, kind, recipient, appointment_id, schedule_gen, caused_by, state,
                          lane, not_after, next_attempt_at, created_at, changed_at, clinic_id)
VALUES ($1, 1, 'confirmation', 'patient', $2, 1, 'x', 'accepted', 'sms', now(), now(), now(), now(), $3)"""


@dataclass
class Asked:
    """Booking on a port, the other services beside it, and four visits.

    Attributes:
        visits: `own`, `another source's`, `another clinic's`, and `nobody's`, which is not there.
    """

    door: Door
    http: dict[str, httpx2.AsyncClient]
    stop_booking: asyncio.Event
    serving: "asyncio.Task[None]"
    key: str = ""
    visits: dict[str, UUID] = field(default_factory=dict)
    reminders: dict[str, UUID] = field(default_factory=dict)
    patient: str = ""

    async def send(self, method: str, path: str, body: object, key: str | None = None) -> httpx2.Response:
        """Order something at the notifier, with the client's key unless another is given."""
        headers = {"Authorization": f"Bearer {self.key if key is None else key}"}
        return await self.http["notifier"].request(method, path, json=body, headers=headers)

    async def get(self, service: str, path: str, key: str | None = None, **query: Any) -> httpx2.Response:
        """Ask a service, with the client's key unless another is given."""
        headers = {"Authorization": f"Bearer {self.key if key is None else key}"}
        return await self.http[service].get(path, params=query, headers=headers)


def _told(installation: Installation, service: str, url: str) -> dict[str, Any]:
    return {
        "database_url": SecretStr(installation.service_url(service)),
        "kafka_bootstrap_servers": installation.bootstrap,
        "topic_prefix": installation.topic_prefix,
        "operator_key_sha256": SecretStr(sha256(OPERATOR_KEY.encode()).hexdigest()),
        "address_pepper": SecretStr(ADDRESS_PEPPER),
        "booking_url": url,
    }


@asynccontextmanager
async def _apis(installation: Installation, url: str) -> AsyncIterator[dict[str, FastAPI]]:
    """Give the three APIs, as their wiring puts them together."""
    async with AsyncExitStack() as opened:
        files = await opened.enter_async_context(
            records.wiring.build(records.settings.Settings(**_told(installation, "records", url)))
        )
        sends = await opened.enter_async_context(
            notifier.wiring.service.build(
                notifier.settings.Settings(**_told(installation, "notifier", url), read_key=SecretStr(OPERATOR_KEY)),
                asyncio.Event(),
            )
        )
        rights = await opened.enter_async_context(booking_rights(url))
        reads = reminders.wiring.reading_api(
            reminders.settings.Settings(**_told(installation, "reminders", url)),
            await installation.pool("reminders"),
            rights,
        )
        assert sends.api is not None
        yield {"records": files.api, "reminders": reads, "notifier": sends.api}


@asynccontextmanager
async def asking(installation: Installation) -> AsyncIterator[Asked]:
    """Give booking with visits, and the others with what followed them."""
    port, stop = free_port(), asyncio.Event()
    url = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as opened:
        door = await opened.enter_async_context(opened_on_kafka(installation))
        serving = asyncio.create_task(serve(door.service.api, "127.0.0.1", port, stop))
        every = await opened.enter_async_context(_apis(installation, url))
        http = {
            name: await opened.enter_async_context(
                httpx2.AsyncClient(transport=httpx2.ASGITransport(app=api), base_url="http://x")
            )
            for name, api in every.items()
        }
        made = Asked(door, http, stop, serving)
        await _filled(made, installation)
        yield made
        stop.set()
        await serving


async def _filled(made: Asked, installation: Installation) -> None:
    await made.door.put("/v1/clinics/ENT", {"name": "Ear Clinic", "zone": "Europe/London"})
    other = await made.door.client(Client("other", ("other",), may_register=True))
    made.key = await made.door.client(Client("desk", ("local",), ("EYE",), may_register=True))
    [own, elsewhere] = (
        await made.door.post([booking("e1", "v1"), booking("e2", "v2", clinic="ENT", patient={"id": "bob"})])
    )["results"]
    foreign = (
        await made.door.ask("POST", "/v1/events", [booking("e3", "v3", patient={"id": "cid"})], key=other)
    ).json()
    made.visits = {
        "own": UUID(own["appointment_id"]),
        "another clinic's": UUID(elsewhere["appointment_id"]),
        "another source's": UUID(foreign["results"][0]["appointment_id"]),
        "nobody's": uuid4(),
    }
    pools = {name: await installation.pool(name) for name in ("records", "reminders", "notifier")}
    for n, (name, visit) in enumerate(made.visits.items()):
        whole = await made.door.ask("GET", f"/v1/appointments/{visit}", key=OPERATOR_KEY)
        patient, clinic = uuid4(), "EYE"
        if whole.status_code == 200:
            patient, clinic = UUID(whole.json()["current"]["patient_id"]), whole.json()["current"]["clinic_id"]
        made.patient = made.patient or str(patient)
        made.reminders[name] = uuid4()
        await pools["records"].execute(FILES, uuid4(), patient, clinic, visit, f"00000{n}")
        await pools["records"].execute(FILED, visit, patient, clinic)
        await pools["reminders"].execute(REMINDER, made.reminders[name], visit, patient, clinic)
        await pools["notifier"].execute(MESSAGE, uuid4(), visit, clinic)
