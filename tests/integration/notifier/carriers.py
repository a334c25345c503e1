"""Real local carriers that misbehave on command and log what they accepted: SMTP, and Twilio's and Meta's HTTP.

Every message is written to the log *before* its answer, so the log is the truth about what was accepted.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qsl

from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from chassis.http import serve
from stack.ports import LOOPBACK, free_port

SILENCE_S = 120.0
"""Longer than any call may last."""


@dataclass(frozen=True)
class Taken:
    """One message that a carrier accepted. `reference` is our attempt's id as it reached the carrier."""

    channel: str
    to: str
    reference: str
    body: str


class Carriers:
    """All carriers of a test, with one acceptance log.

    A script says how the next messages to an address are answered: an HTTP or SMTP code, `silent` (accept
    and never answer), `cut` (accept and break the connection) or `garbage` (accept and answer nonsense).
    Without one they are accepted. With `retry_after_s` a refusal by HTTP asks for that much patience.
    """

    def __init__(self, smtp_port: int, http_port: int) -> None:
        self.smtp_port, self.http_port = smtp_port, http_port
        self.taken: list[Taken] = []
        self.asked: list[str] = []
        self.retry_after_s = 0
        self._scripts: dict[str, deque[int | str]] = defaultdict(deque)
        self._told: dict[Session, str] = {}
        self._never = asyncio.Event()

    def script(self, address: str, *answers: int | str) -> None:
        """Say how the next messages to this address are answered."""
        self._scripts[address].extend(answers)

    def to(self, address: str) -> list[Taken]:
        """Return what was accepted for this address."""
        return [one for one in self.taken if one.to == address]

    def _next(self, address: str) -> int | str:
        self.asked.append(address)
        script = self._scripts[address]
        return script.popleft() if script else "accept"

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(SILENCE_S):
                await self._never.wait()
        except TimeoutError:
            return

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:  # aiosmtpd's name
        answer = self._next(address)
        if isinstance(answer, int):
            return f"{answer} as told"
        self._told[session] = answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # aiosmtpd's name
        mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        assert isinstance(mail, EmailMessage)
        reference = str(mail["Message-ID"]).strip("<>").partition("@")[0]
        self.taken.append(Taken("email", envelope.rcpt_tos[0], reference, mail.as_string()))
        if self._told[session] == "silent":
            await self._wait()
        if self._told[session] == "cut" and server.transport is not None:
            server.transport.close()
        return "250 OK"

    async def answer(self, channel: str, to: str, reference: str, body: str, accepted: dict[str, Any]) -> Response:
        """Answer one HTTP message as the script says."""
        answer = self._next(to)
        if isinstance(answer, int):
            headers = {"Retry-After": str(self.retry_after_s)} if self.retry_after_s else None
            return JSONResponse({"code": answer}, answer, headers)
        self.taken.append(Taken(channel, to, reference, body))
        if answer == "silent":
            await self._wait()
        if answer == "garbage":
            return Response(b"<html>OK", 200)
        return JSONResponse(accepted, 201 if channel == "sms" else 200)

    def release(self) -> None:
        """End every silence."""
        self._never.set()


@asynccontextmanager
async def carriers() -> AsyncIterator[Carriers]:
    """Run the carriers for the block."""
    made, stop, loop = Carriers(free_port(), free_port()), asyncio.Event(), asyncio.get_running_loop()
    smtp = await loop.create_server(lambda: SMTP(made, hostname=LOOPBACK, loop=loop), LOOPBACK, made.smtp_port)
    http = asyncio.create_task(serve(_api(made), LOOPBACK, made.http_port, stop))
    try:
        async with asyncio.timeout(60):
            while not await _listens(made.http_port):  # noqa: ASYNC110  # what is waited for is another server
                await asyncio.sleep(0.02)
        yield made
    finally:
        made.release()
        smtp.close()
        stop.set()
        await http


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True


def _api(made: Carriers) -> FastAPI:
    api = FastAPI()

    @api.post("/2010-04-01/Accounts/{account}/Messages.json")
    async def twilio(account: str, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        reference = form["StatusCallback"].rpartition("/")[2]
        return await made.answer("sms", form["To"], reference, form["Body"], {"sid": f"SM{reference}"})

    @api.post("/{version}/{number}/messages")
    async def meta(version: str, number: str, request: Request) -> Response:
        body = await request.json()
        reference = body["biz_opaque_callback_data"]
        return await made.answer(
            "whatsapp", body["to"], reference, str(body["template"]), {"messages": [{"id": f"wamid.{reference}"}]}
        )

    return api
