"""Twilio's Messages and Meta's Cloud API on a bare socket, so that an answer can break anywhere."""

import asyncio
import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from tests.support.carriers.log import Desk, Taken

_TWILIO = re.compile(r"/2010-04-01/Accounts/[^/]+/Messages\.json")
_META = re.compile(r"/v[^/]+/[^/]+/messages")
OWN_CODES = 1000
"""From here on a code is the carrier's own, not HTTP's."""
DRIP_S = 0.2
"""Between two bytes of an answer that drips."""


@dataclass(frozen=True)
class Message:
    """What one request asks to be sent."""

    channel: str
    to: str
    reference: str
    body: str

    @property
    def answer(self) -> tuple[int, dict[str, Any]]:
        """Status and JSON of an acceptance."""
        if self.channel == "sms":
            return 201, {"sid": f"SM{self.reference}", "status": "queued"}
        return 200, {"messages": [{"id": f"wamid.{self.reference}"}]}


def read_message(path: str, body: bytes) -> Message:
    """Return the message of a request.

    Raises:
        LookupError: It has none that these carriers could take.
    """
    if _TWILIO.fullmatch(path):
        form = dict(parse_qsl(body.decode()))
        return Message("sms", form["To"], form["StatusCallback"].rpartition("/")[2], form["Body"])
    if _META.fullmatch(path):
        asked = json.loads(body)
        return Message("whatsapp", asked["to"], asked["biz_opaque_callback_data"], json.dumps(asked["template"]))
    raise LookupError(path)


async def converse(desk: Desk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection, until either side ends it."""
    while (request := await _request(reader)) is not None:
        try:
            message = read_message(*request)
        except LookupError:
            await _send(writer, _written(400, {"code": "UNREADABLE"}))
            continue
        if not await _answer(desk, message, writer):
            return


async def _request(reader: asyncio.StreamReader) -> tuple[str, bytes] | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = re.search(r"(?im)^content-length: *(\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
    except asyncio.IncompleteReadError:
        return None
    return head.split(" ", 2)[1], body


async def _answer(desk: Desk, message: Message, writer: asyncio.StreamWriter) -> bool:
    """Answer one message as the script says; say whether the connection lives on."""
    answer = desk.next_answer(message.to)
    if isinstance(answer, int):
        patience = {"Retry-After": str(desk.retry_after_s)} if desk.retry_after_s else {}
        await _send(writer, _written(answer if answer < OWN_CODES else 400, {"code": answer}, patience))
        return True
    desk.taken.append(Taken(message.channel, message.to, message.reference, message.body))
    await desk.before_answering(answer)
    reply = _written(*message.answer)
    if answer == "reset":
        writer.transport.abort()
        return False
    if answer == "cut":
        await _send(writer, reply[: len(reply) - 10])
        return False
    if answer == "drip":
        await _drip(desk, writer, reply)
        return False
    await _send(writer, _written(200, None) if answer == "garbage" else reply)
    return True


async def _drip(desk: Desk, writer: asyncio.StreamWriter, reply: bytes) -> None:
    for byte in reply:
        if desk.over or writer.is_closing():
            return
        await _send(writer, bytes([byte]))
        await desk.pause(DRIP_S)


async def _send(writer: asyncio.StreamWriter, reply: bytes) -> None:
    writer.write(reply)
    await writer.drain()


def _written(status: int, value: dict[str, Any] | None, more: dict[str, str] | None = None) -> bytes:
    """Return a whole answer; without a value it is no JSON."""
    body = b"<html>OK" if value is None else json.dumps(value).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(more or {})}
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {text}" for name, text in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
