"""The callbacks' door without a database: what a carrier is answered when we cannot write, or when it drips."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx2
import pytest

from chassis.api.app import create_api
from chassis.process.clock import RealClock
from chassis.process.errors import Unavailable
from chassis.process.metrics import Metrics
from notifier.callbacks.carrier_routes import CALLBACKS, Callbacks
from notifier.callbacks.door import LARGEST_WEBHOOK, Door
from notifier.callbacks.handle.intake import Intake, Unread
from notifier.callbacks.secrets import CallbackSecrets
from notifier.carriers.meta.signature import meta_signature
from notifier.carriers.twilio.signature import twilio_signature
from notifier.receipts.domain import Carrier
from notifier.wiring.callbacks import carriers_routes
from tests.support.notifier.builders import PEPPERS

PUBLIC = "https://clinic.example"


class Away:
    """A database that cannot be reached."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        raise Unavailable("DATABASE_AWAY", "not there")
        yield

    async def keep(self, _carrier: Carrier, _items: Sequence[Unread]) -> int:
        raise Unavailable("DATABASE_AWAY", "not there")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("notifier")


@pytest.fixture
async def http(metrics: Metrics) -> AsyncIterator[httpx2.AsyncClient]:
    clock = RealClock()
    secrets = CallbackSecrets(twilio={"": ("t",)}, meta={"": ("m",)})
    door = Door(metrics, longest_read_s=0.2)
    intake = Intake(Away(), Away(), Away(), PEPPERS, clock, door.count, lambda: None)
    callbacks = Callbacks(intake, lambda: secrets, PUBLIC, door)
    api = create_api("test", public=(CALLBACKS,))
    api.include_router(carriers_routes(callbacks))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=api), base_url="http://inside:8103") as client:
        yield client


async def test_while_nothing_can_be_written_nothing_is_promised(http: httpx2.AsyncClient) -> None:
    for path, form in (
        (f"/callbacks/twilio/{uuid4()}", {"MessageSid": "SM1", "MessageStatus": "sent"}),
        ("/callbacks/twilio/inbound?to=%2B44", {"MessageSid": "SM1", "From": "+442071838750", "Body": "STOP"}),
    ):
        signed = {"X-Twilio-Signature": twilio_signature("t", PUBLIC + path, form.items())}
        answer = await http.post(path, content=urlencode(form), headers=signed)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    unreadable = await http.post(
        "/callbacks/meta", content=b"{", headers={"X-Hub-Signature-256": meta_signature("m", b"{")}
    )
    assert unreadable.status_code == 503


async def test_a_query_belongs_to_the_signed_address(http: httpx2.AsyncClient) -> None:
    form = {"MessageSid": "SM1", "From": "+442071838750", "Body": "STOP"}
    signed = {"X-Twilio-Signature": twilio_signature("t", f"{PUBLIC}/callbacks/twilio/inbound", form.items())}

    answer = await http.post("/callbacks/twilio/inbound?to=another", content=urlencode(form), headers=signed)

    assert answer.status_code == 401


async def test_a_body_that_drips_is_given_up_and_counted(http: httpx2.AsyncClient, metrics: Metrics) -> None:
    async def drip() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    answer = await http.post("/callbacks/meta", content=drip())

    assert (answer.status_code, answer.json()["code"]) == (408, "BODY_TOO_SLOW")
    assert (
        metrics.registry.get_sample_value("attend_callbacks_total", {"carrier": "meta", "fate": "body_too_slow"}) == 1
    )


async def test_a_body_without_a_length_is_read_no_further_than_the_limit(http: httpx2.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 16_384
            yield b"x" * 16_384

    answer = await http.post("/callbacks/meta", content=endless())

    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
    assert sent <= LARGEST_WEBHOOK + 4 * 16_384
