"""A mail server on a bare socket, so that it can fall silent or break off anywhere."""

import asyncio
import re

from tests.support.carriers.http import DRIP_S
from tests.support.carriers.log import Desk, Taken

_ADDRESS = re.compile(r"<([^>]*)>")
_REFERENCE = re.compile(r"(?im)^message-id:\s*<([^@>]+)@")
DOT = b"\r\n.\r\n"
HANGS_UP = 421


class Conversation:
    """One connection of a client."""

    def __init__(self, desk: Desk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._desk, self._reader, self._writer = desk, reader, writer
        self._to: list[tuple[str, int | str]] = []

    async def run(self) -> None:
        """Speak until either side ends it."""
        await self._say("220 carrier ESMTP")
        while line := await self._reader.readline():
            verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            if not await self._obey(verb.upper(), rest):
                return

    async def _obey(self, verb: str, rest: str) -> bool:
        match verb:
            case "EHLO":
                await self._say("250-carrier", "250-8BITMIME", "250-SMTPUTF8", "250 DSN")
            case "MAIL" | "RSET" | "NOOP" | "HELO":
                self._to.clear()
                await self._say("250 OK")
            case "RCPT":
                return await self._recipient(rest)
            case "DATA":
                return await self._mail()
            case "QUIT":
                await self._say("221 bye")
                return False
            case _:
                await self._say("502 not known here")
        return True

    async def _recipient(self, rest: str) -> bool:
        found = _ADDRESS.search(rest)
        address = found[1] if found else rest
        answer = self._desk.next_answer(address)
        if isinstance(answer, int):
            await self._say(f"{answer} as told")
            return answer != HANGS_UP
        self._to.append((address, answer))
        await self._say("250 OK")
        return True

    async def _mail(self) -> bool:
        await self._say("354 go on")
        mail = (await self._reader.readuntil(DOT)).removesuffix(DOT).replace(b"\r\n..", b"\r\n.")
        [(address, answer)] = self._to
        if isinstance(answer, str) and answer.startswith("data-"):
            await self._say(f"{answer.removeprefix('data-')} as told")
            return True
        text = mail.decode("utf-8", "replace")
        reference = _REFERENCE.search(text)
        self._desk.taken.append(Taken("email", address, reference[1] if reference else "", text))
        await self._desk.before_answering(answer)
        return await self._confirm(answer)

    async def _confirm(self, answer: int | str) -> bool:
        match answer:
            case "reset":
                self._writer.transport.abort()
            case "cut":
                await self._send(b"25")
            case "garbage":
                await self._say("thank you")
            case "odd":
                await self._say("259 fine")
            case "drip":
                for byte in b"250-" + b"O" * 500:
                    if self._desk.over or self._writer.is_closing():
                        break
                    await self._send(bytes([byte]))
                    await self._desk.pause(DRIP_S)
            case _:
                await self._say("250 OK")
                return True
        return False

    async def _say(self, *lines: str) -> None:
        await self._send("".join(f"{line}\r\n" for line in lines).encode())

    async def _send(self, reply: bytes) -> None:
        self._writer.write(reply)
        await self._writer.drain()
