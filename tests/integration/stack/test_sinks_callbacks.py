"""What the local carriers send back: signed as Twilio and Meta sign, checked here by the notifier's own rules."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from chassis.process.clock import RealClock
from notifier.carriers.meta import callbacks as meta
from notifier.carriers.meta.signature import meta_is_genuine
from notifier.carriers.twilio import callbacks as twilio
from notifier.carriers.twilio.signature import twilio_is_genuine
from notifier.receipts.domain import Reported
from stack.accepted import AcceptanceLog
from stack.callbacks import Back
from stack.faults import Faults
from stack.ports import LOOPBACK, free_port
from stack.sinks import carrier

pytestmark = pytest.mark.integration

TOKEN, SECRET = "of the account", "of the app"
ATTEMPT = "0199aaaa-0000-7000-8000-000000000001"


@dataclass
class Notifier:
    """Stands where the notifier's callbacks are, and keeps what is posted."""

    url: str = ""
    got: "asyncio.Queue[tuple[str, bytes, dict[str, str]]]" = field(default_factory=asyncio.Queue)
    status: int = 204


@pytest.fixture
async def notifier() -> AsyncIterator[Notifier]:
    """Serve it on a port of its own."""
    made, api = Notifier(url=f"http://{LOOPBACK}:{free_port()}"), FastAPI()

    @api.post("/callbacks/{rest:path}")
    async def take(rest: str, request: Request) -> Response:
        made.got.put_nowait((f"{made.url}/callbacks/{rest}", await request.body(), dict(request.headers)))
        return Response(status_code=made.status)

    port = int(made.url.rpartition(":")[2])
    server = uvicorn.Server(uvicorn.Config(api, host=LOOPBACK, port=port, log_level="error"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield made
    server.should_exit = True
    await serving


def sinks(notifier: Notifier, tmp_path: Path, **settings: Any) -> httpx2.AsyncClient:
    """Give a client of the carriers, which report to the notifier."""
    back = Back(notifier.url, TOKEN, SECRET, **settings)
    api = carrier(AcceptanceLog(tmp_path / "accepted.jsonl", RealClock()), Faults(), back)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=api), base_url="http://sinks")


async def test_an_answer_is_signed_so_that_the_notifier_takes_it(notifier: Notifier, tmp_path: Path) -> None:
    async with sinks(notifier, tmp_path) as client:
        answer = await client.post("/inbound", json={"sender": "+12125550109", "body": "STOP"})

    url, body, headers = await notifier.got.get()
    fields = twilio.form_of(body)
    assert answer.status_code == 204
    assert url.endswith("/callbacks/twilio/inbound")
    assert twilio_is_genuine([TOKEN], url, fields, headers["x-twilio-signature"])
    assert (twilio.incoming_of(fields).sender, twilio.incoming_of(fields).text) == ("+12125550109", "STOP")


async def test_an_answer_that_is_not_taken_is_said(notifier: Notifier, tmp_path: Path) -> None:
    notifier.status = 401
    async with sinks(notifier, tmp_path) as client:
        answer = await client.post("/inbound", json={"sender": "+12125550109", "body": "STOP"})

    assert answer.status_code == 502
    assert "401" in answer.text


async def test_with_receipts_on_accepted_messages_are_reported_as_delivered(notifier: Notifier, tmp_path: Path) -> None:
    callback = f"{notifier.url}/callbacks/twilio/{ATTEMPT}"
    async with sinks(notifier, tmp_path, receipts=True) as client:
        form = {"To": "+12125550101", "From": "+15005550006", "Body": "x", "StatusCallback": callback}
        await client.post("/2010-04-01/Accounts/AC0/Messages.json", data=form)
        url, body, headers = await notifier.got.get()
        fields = twilio.form_of(body)
        assert url == callback
        assert twilio_is_genuine([TOKEN], url, fields, headers["x-twilio-signature"])
        assert dict(fields)["MessageStatus"] == "delivered"

        message = {"to": "12125550101", "type": "template", "biz_opaque_callback_data": ATTEMPT}
        await client.post("/v23.0/100/messages", json=message)
        url, body, headers = await notifier.got.get()
        receipt = meta.read(body, {""}, "").reports[0].said
        assert meta_is_genuine([SECRET], body, headers["x-hub-signature-256"])
        assert (receipt.status, str(receipt.attempt_id)) == (Reported.DELIVERED, ATTEMPT)


async def test_without_the_setting_nothing_is_reported(notifier: Notifier, tmp_path: Path) -> None:
    async with sinks(notifier, tmp_path) as client:
        form = {"To": "+12125550101", "Body": "x", "StatusCallback": f"{notifier.url}/callbacks/twilio/{ATTEMPT}"}
        await client.post("/2010-04-01/Accounts/AC0/Messages.json", data=form)
        await client.post("/inbound", json={"sender": "+12125550101", "body": "the only thing posted"})

    assert notifier.got.qsize() == 1
