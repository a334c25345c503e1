"""Local stand-ins for the carriers: an SMTP server, and an HTTP server that speaks Twilio's and Meta's shapes.

Nothing leaves this machine. Each accepted message is a line in the acceptance log *before* the carrier's answer, so
the log is the truth about what was accepted. They accept everything until `POST /faults` tells them to misbehave
(`stack.faults`). Run with `python -m stack.sinks`; settings `SINKS_HOST`, `SINKS_SMTP_PORT`, `SINKS_HTTP_PORT`,
`SINKS_LOG`, `ATTEND_CLOCK_FILE`, and those of `stack.callbacks`.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from email import message_from_bytes, policy
from email.headerregistry import BaseHeader, HeaderRegistry
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl
from uuid import uuid4

import orjson
import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from chassis.api.server import Patience
from chassis.process.clock import clock_from
from stack import callbacks
from stack import faults as orders
from stack.accepted import AcceptanceLog
from stack.faults import Fault, Faults
from stack.ports import LOOPBACK
from stack.services import CARRIER_PORT, SMTP_PORT


class _Headers(HeaderRegistry):
    """Makes one class for each kind of header, instead of one for each header read."""

    @cache  # noqa: B019  # one registry a process
    def __getitem__(self, name: str) -> type[BaseHeader]:
        return super().__getitem__(name)


_POLICY = policy.default.clone(header_factory=_Headers())


AFTER_THE_DOT = frozenset({451, 452, 552, 554})
"""Codes that are answered to the whole mail; the others to its recipient."""

SERVICE_CLOSING = 421


class MailSink:
    """Accepts every mail for every recipient that is not to meet a fault."""

    def __init__(self, log: AcceptanceLog, faults: Faults) -> None:
        """Write to this log, and obey these orders."""
        self._log, self._faults = log, faults

    async def handle_RCPT(  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept the recipient, or answer the code that he is to meet."""
        met = self._faults.peek("email", address)
        if met is not None and met.fault != orders.TIMEOUT and met.code not in AFTER_THE_DOT:
            self._faults.take("email", address)
            if met.code in {None, SERVICE_CLOSING}:
                await server.push(f"{SERVICE_CLOSING} closing")
                _close(server)
            return f"{met.code or SERVICE_CLOSING} as ordered"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # aiosmtpd's name
        """Log the mail, one line a recipient, then accept it."""
        met = next((met for to in envelope.rcpt_tos if (met := self._faults.take("email", to))), None)
        if met is not None and met.code is not None:
            return f"{met.code} as ordered"
        self._accept(envelope)
        if met is not None:
            await asyncio.Event().wait()  # until the client goes
        return "250 OK"

    def _accept(self, envelope: Envelope) -> None:
        mail = message_from_bytes(envelope.original_content or b"", policy=_POLICY)
        parts = {
            "subject": str(mail["subject"] or ""),
            "from": str(mail["from"] or ""),
            "attachments": [_attachment(part) for part in mail.iter_attachments()],
            "html": _text(mail, "html"),
            "unsubscribe": str(mail["list-unsubscribe"] or "").strip("<> ") or None,
        }
        reference = str(mail["message-id"] or "").strip("<> ").partition("@")[0] or None
        for recipient in envelope.rcpt_tos:
            self._log.accept("email", recipient, reference, _text(mail, "plain"), **parts)


class _Door(SMTP):
    """One connection; while new ones are to be refused, it is closed before the greeting."""

    def __init__(self, sink: MailSink, faults: Faults, host: str, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(sink, hostname=host, loop=loop)
        self._faults = faults

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        met = self._faults.peek("email", "")
        if met is not None and met.fault == orders.REFUSE:
            self._faults.take("email", "")
            transport.close()
            return
        super().connection_made(transport)


def _close(server: SMTP) -> None:
    if server.transport is not None:
        server.transport.close()


def _text(mail: EmailMessage, kind: str) -> str | None:
    part = mail.get_body((kind,))
    return str(part.get_content()) if part else None


def _attachment(part: EmailMessage) -> dict[str, str]:
    content = part.get_content()
    text = content if isinstance(content, str) else content.decode("utf-8", "replace")
    return {"name": part.get_filename() or "", "type": part.get_content_type(), "content": text}


def carrier(log: AcceptanceLog, faults: Faults, back: callbacks.Back | None = None) -> FastAPI:
    """Return the HTTP side: Twilio's Messages, Meta's Cloud API, the list of what was accepted, faults and health."""
    api = FastAPI(title="Attend's local carrier", description="Accepts every message and sends none.")
    api.include_router(orders.routes(faults))
    api.include_router(callbacks.routes(back, log))

    @api.post("/2010-04-01/Accounts/{account}/Messages.json", status_code=201)
    async def twilio(account: str, request: Request) -> Any:
        """Accept an SMS, or a WhatsApp text when the number says so, as Twilio's Messages resource does."""
        form = dict(parse_qsl((await request.body()).decode()))
        to, body = form.get("To"), form.get("Body")
        if not to or not body:
            return JSONResponse({"code": 21604, "message": "A 'To' and a 'Body' are required.", "status": 400}, 400)
        channel = "whatsapp" if to.startswith("whatsapp:") else "sms"
        met = faults.take(channel, to.removeprefix("whatsapp:"))
        if met is not None and met.code is not None:
            error = {"code": met.carrier_code or TWILIO_ERROR, "message": "As ordered.", "status": met.code}
            return JSONResponse(error, met.code, _retry_after(met))
        sid = f"SM{uuid4().hex}"
        reference = form.get("StatusCallback", sid).rpartition("/")[2]  # our attempt is the address' last part
        log.accept(channel, to.removeprefix("whatsapp:"), reference, body, carrier_id=sid)
        if back is not None:
            back.delivered_sms(form.get("StatusCallback"), sid, to)
        answer = {"sid": sid, "account_sid": account, "status": "queued", "to": to, "from": form.get("From")}
        return await _answer({**answer, "body": body}, 201, met, request)

    @api.post("/{version}/{phone_number_id}/messages")
    async def meta(version: str, phone_number_id: str, request: Request) -> Any:
        """Accept a WhatsApp message as Meta's Cloud API does."""
        message = await request.json()
        if not version.startswith("v") or not isinstance(message, dict) or not message.get("to"):
            error = {"error": {"message": "Invalid parameter", "type": "OAuthException", "code": 100}}
            return JSONResponse(error, status_code=400)
        met = faults.take("whatsapp", str(message["to"]))
        if met is not None and met.code is not None:
            code = met.carrier_code or META_ERROR
            error = {"error": {"message": "As ordered.", "type": "OAuthException", "code": code}}
            return JSONResponse(error, met.code, _retry_after(met))
        wamid = f"wamid.{uuid4().hex}"
        kind = str(message.get("type", "text"))
        reference = message.get("biz_opaque_callback_data") or wamid
        log.accept("whatsapp", str(message["to"]), reference, message.get(kind), carrier_id=wamid)
        if back is not None:
            back.delivered_whatsapp(wamid, message.get("biz_opaque_callback_data"), str(message["to"]))
        contacts = [{"input": message["to"], "wa_id": str(message["to"]).lstrip("+")}]
        answer = {"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": wamid}]}
        return await _answer(answer, 200, met, request)

    @api.get("/accepted")
    async def accepted(
        channel: Annotated[str | None, Query(description="email, sms or whatsapp")] = None,
        to: Annotated[str | None, Query(description="the recipient, exactly")] = None,
    ) -> list[dict[str, Any]]:
        """List what was accepted, oldest first."""
        return log.read(channel, to)

    @api.get("/health/ready")
    async def ready() -> dict[str, str | int]:
        """Say that messages are accepted, and who accepts them."""
        return {"status": "ready", "service": "sinks", "pid": os.getpid()}

    return api


TWILIO_ERROR, META_ERROR = 30008, 131000
"""Both carriers' code for "unknown error"."""


def _retry_after(fault: Fault) -> dict[str, str]:
    return {} if fault.retry_after_s is None else {"Retry-After": str(fault.retry_after_s)}


async def _answer(body: dict[str, Any], status: int, met: Fault | None, request: Request) -> Response:
    """Return the answer to an accepted message, spoiled as ordered."""
    content = orjson.dumps(body)
    match met.fault if met else None:
        case orders.GARBAGE:
            return Response(b"<html>all is well</html>", status, media_type="text/html")
        case orders.TIMEOUT:
            while (await request.receive())["type"] != "http.disconnect":
                pass
        case orders.CUT:
            return _slowly(content[: len(content) // 2], len(content), status, 0.0)
        case orders.DRIP:
            return _slowly(content, len(content), status, 1.0)
    return Response(content, status, media_type="application/json")


def _slowly(content: bytes, length: int, status: int, pause_s: float) -> Response:
    """Return an answer byte by byte; the server closes the connection when fewer come than were announced."""

    async def parts() -> AsyncIterator[bytes]:
        for byte in content:
            yield bytes((byte,))
            await asyncio.sleep(pause_s)

    return StreamingResponse(parts(), status, {"Content-Length": str(length)}, "application/json")


async def serve(
    host: str, smtp_port: int, http_port: int, log: AcceptanceLog, back: callbacks.Back | None = None
) -> None:
    """Serve both until SIGTERM or SIGINT."""
    loop, faults = asyncio.get_running_loop(), Faults()
    sink = MailSink(log, faults)
    smtp = await loop.create_server(lambda: _Door(sink, faults, host, loop), host, smtp_port)
    config = uvicorn.Config(
        carrier(log, faults, back), host=host, port=http_port, access_log=False, log_level="warning",
        timeout_keep_alive=Patience().idle_s,
    )  # fmt: skip
    async with smtp:
        await uvicorn.Server(config).serve()


def main(environ: Mapping[str, str] = os.environ) -> None:
    """Run the sinks with the settings of the environment."""
    clock_file = environ.get("ATTEND_CLOCK_FILE")
    clock = clock_from(Path(clock_file) if clock_file else None)
    log = AcceptanceLog(Path(environ.get("SINKS_LOG", ".attend/sinks/accepted.jsonl")), clock)
    smtp_port, http_port = environ.get("SINKS_SMTP_PORT", SMTP_PORT), environ.get("SINKS_HTTP_PORT", CARRIER_PORT)
    host, back = environ.get("SINKS_HOST", LOOPBACK), callbacks.Back.of(environ)
    asyncio.run(serve(host, int(smtp_port), int(http_port), log, back))


if __name__ == "__main__":
    main()
