"""Local stand-ins for the carriers: an SMTP server, and an HTTP server that speaks Twilio's and Meta's shapes.

Nothing leaves this machine. Each accepted message is a line in the acceptance log *before* the carrier's answer, so
the log is the truth about what was accepted. Run with `python -m stack.sinks`; settings `SINKS_HOST`,
`SINKS_SMTP_PORT`, `SINKS_HTTP_PORT`, `SINKS_LOG`, `ATTEND_CLOCK_FILE`.
"""

import asyncio
import os
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.headerregistry import BaseHeader, HeaderRegistry
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl
from uuid import uuid4

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse

from chassis.clock import clock_from
from stack.accepted import AcceptanceLog
from stack.ports import LOOPBACK
from stack.services import CARRIER_PORT, SMTP_PORT


class _Headers(HeaderRegistry):
    """Makes one class for each kind of header, instead of one for each header read."""

    @cache  # noqa: B019  # one registry a process
    def __getitem__(self, name: str) -> type[BaseHeader]:
        return super().__getitem__(name)


_POLICY = policy.default.clone(header_factory=_Headers())


class MailSink:
    """Accepts every mail for every recipient."""

    def __init__(self, log: AcceptanceLog) -> None:
        """Write to this log."""
        self._log = log

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # aiosmtpd's name
        """Log the mail, one line a recipient, then accept it."""
        mail = message_from_bytes(envelope.original_content or b"", policy=_POLICY)
        parts = {
            "subject": str(mail["subject"] or ""),
            "from": str(mail["from"] or ""),
            "attachments": [_attachment(part) for part in mail.iter_attachments()],
            "html": _text(mail, "html"),
        }
        reference = str(mail["message-id"] or "").strip("<> ").partition("@")[0] or None
        for recipient in envelope.rcpt_tos:
            self._log.accept("email", recipient, reference, _text(mail, "plain"), **parts)
        return "250 OK"


def _text(mail: EmailMessage, kind: str) -> str | None:
    part = mail.get_body((kind,))
    return str(part.get_content()) if part else None


def _attachment(part: EmailMessage) -> dict[str, str]:
    content = part.get_content()
    text = content if isinstance(content, str) else content.decode("utf-8", "replace")
    return {"name": part.get_filename() or "", "type": part.get_content_type(), "content": text}


def carrier(log: AcceptanceLog) -> FastAPI:
    """Return the HTTP side: Twilio's Messages, Meta's Cloud API, the list of what was accepted, and health."""
    api = FastAPI(title="Attend's local carrier", description="Accepts every message and sends none.")

    @api.post("/2010-04-01/Accounts/{account}/Messages.json", status_code=201)
    async def twilio(account: str, request: Request) -> Any:
        """Accept an SMS, or a WhatsApp text when the number says so, as Twilio's Messages resource does."""
        form = dict(parse_qsl((await request.body()).decode()))
        to, body = form.get("To"), form.get("Body")
        if not to or not body:
            return JSONResponse({"code": 21604, "message": "A 'To' and a 'Body' are required.", "status": 400}, 400)
        channel = "whatsapp" if to.startswith("whatsapp:") else "sms"
        sid = f"SM{uuid4().hex}"
        reference = form.get("StatusCallback", sid).rpartition("/")[2]  # our attempt is the address' last part
        log.accept(channel, to.removeprefix("whatsapp:"), reference, body, carrier_id=sid)
        answer = {"sid": sid, "account_sid": account, "status": "queued", "to": to, "from": form.get("From")}
        return {**answer, "body": body}

    @api.post("/{version}/{phone_number_id}/messages")
    async def meta(version: str, phone_number_id: str, request: Request) -> Any:
        """Accept a WhatsApp message as Meta's Cloud API does."""
        message = await request.json()
        if not version.startswith("v") or not isinstance(message, dict) or not message.get("to"):
            error = {"error": {"message": "Invalid parameter", "type": "OAuthException", "code": 100}}
            return JSONResponse(error, status_code=400)
        wamid = f"wamid.{uuid4().hex}"
        kind = str(message.get("type", "text"))
        reference = message.get("biz_opaque_callback_data") or wamid
        log.accept("whatsapp", str(message["to"]), reference, message.get(kind), carrier_id=wamid)
        contacts = [{"input": message["to"], "wa_id": str(message["to"]).lstrip("+")}]
        return {"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": wamid}]}

    @api.get("/accepted")
    async def accepted(
        channel: Annotated[str | None, Query(description="email, sms or whatsapp")] = None,
        to: Annotated[str | None, Query(description="the recipient, exactly")] = None,
    ) -> list[dict[str, Any]]:
        """List what was accepted, oldest first."""
        return log.read(channel, to)

    @api.get("/health/ready")
    async def ready() -> dict[str, str]:
        """Say that messages are accepted."""
        return {"status": "ready"}

    return api


async def serve(host: str, smtp_port: int, http_port: int, log: AcceptanceLog) -> None:
    """Serve both until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(lambda: SMTP(MailSink(log), hostname=host, loop=loop), host, smtp_port)
    config = uvicorn.Config(carrier(log), host=host, port=http_port, access_log=False, log_level="warning")
    async with smtp:
        await uvicorn.Server(config).serve()


def main(environ: Mapping[str, str] = os.environ) -> None:
    """Run the sinks with the settings of the environment."""
    clock_file = environ.get("ATTEND_CLOCK_FILE")
    clock = clock_from(Path(clock_file) if clock_file else None)
    log = AcceptanceLog(Path(environ.get("SINKS_LOG", ".attend/sinks/accepted.jsonl")), clock)
    smtp_port, http_port = environ.get("SINKS_SMTP_PORT", SMTP_PORT), environ.get("SINKS_HTTP_PORT", CARRIER_PORT)
    asyncio.run(serve(environ.get("SINKS_HOST", LOOPBACK), int(smtp_port), int(http_port), log))


if __name__ == "__main__":
    main()
