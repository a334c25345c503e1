"""Email by SMTP. Connections are kept and reused; each carries one mail at a time.

What is known when something breaks:

| when | answer |
|---|---|
| no connection, no greeting, 4xx or 421 before the data | not accepted: the mail has not left |
| 5xx to sender, recipient or data | rejected |
| 4xx after the final dot | not accepted |
| silence or a broken connection once the data began | unknown: the server may have it |
"""

import asyncio
import contextlib
from dataclasses import dataclass
from email.message import EmailMessage
from functools import partial

import aiosmtplib
from jinja2 import TemplateError
from pydantic import SecretStr

from notifier.adapters.carriers.composing import Sender, compose
from notifier.adapters.templates import Templates
from notifier.domain.ledger import Accepted, Answer, Call, NotAccepted, Rejected, Unsure
from notifier.handle.loop import CannotCompose, Made

PERMANENT = 500
_BROKEN = (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, ConnectionError, TimeoutError)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over, and how.

    Attributes:
        tls: `none`, `starttls`, or `tls` from the first byte.
        timeout_s: For all steps before the data, and again for the data; less than half the lane's timeout.
    """

    host: str
    port: int
    tls: str
    username: str | None
    password: SecretStr | None
    timeout_s: float


class EmailCarrier:
    """See `handle.loop.Carrier`."""

    def __init__(self, server: SmtpServer, sender: Sender, templates: Templates) -> None:
        self._server, self._sender, self._templates = server, sender, templates
        self._kept: list[aiosmtplib.SMTP] = []

    def prepare(self, call: Call) -> Made:
        """See `handle.loop.Carrier`."""
        try:
            mail = compose(call, self._templates, self._sender)
        except (TemplateError, ValueError, LookupError) as error:
            raise CannotCompose(type(error).__name__) from error
        return partial(self._send, call, mail)

    async def _send(self, call: Call, mail: EmailMessage) -> Answer:
        try:
            async with asyncio.timeout(self._server.timeout_s):
                client = await self._announced(call)
        except aiosmtplib.SMTPResponseException as error:
            return _refused(error.code)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return NotAccepted(type(error).__name__)
        return await self._handed_over(client, mail)

    async def close(self) -> None:
        """See `handle.loop.Carrier`."""
        while self._kept:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await self._kept.pop().quit()

    async def _announced(self, call: Call) -> aiosmtplib.SMTP:
        """Return a connection on which sender and recipient are accepted, a fresh one if a kept one broke."""
        while self._kept:
            client = self._kept.pop()
            try:
                return await self._announce(client, call)
            except _BROKEN:
                client.close()
        return await self._announce(await self._connected(), call)

    async def _announce(self, client: aiosmtplib.SMTP, call: Call) -> aiosmtplib.SMTP:
        options = [f"ENVID={call.attempt_id}"] if client.supports_extension("dsn") else []
        try:
            await client.mail(self._sender.address, options=options)
            await client.rcpt(call.route.address)
        except aiosmtplib.SMTPResponseException as error:
            await self._clear(client, error.code)
            raise
        except BaseException:
            client.close()
            raise
        return client

    async def _connected(self) -> aiosmtplib.SMTP:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.timeout_s,
            use_tls=server.tls == "tls",
            start_tls=server.tls == "starttls",
            username=server.username,
            password=server.password.get_secret_value() if server.password else None,
        )
        try:
            await client.connect()
            await client.ehlo()
        except BaseException:
            client.close()
            raise
        return client

    async def _handed_over(self, client: aiosmtplib.SMTP, mail: EmailMessage) -> Answer:
        try:
            response = await client.data(mail.as_bytes())
        except aiosmtplib.SMTPResponseException as error:
            await self._clear(client, error.code)
            return _refused(error.code)
        except (*_BROKEN, aiosmtplib.SMTPException, OSError) as error:
            client.close()
            return Unsure(type(error).__name__)
        except BaseException:
            client.close()
            raise
        self._kept.append(client)
        return Accepted(str(mail["Message-ID"]) if not response.message else response.message[:200])

    async def _clear(self, client: aiosmtplib.SMTP, code: int) -> None:
        """Make a connection fit for the next mail after a refusal, or give it up."""
        if code == aiosmtplib.SMTPStatus.domain_unavailable:
            client.close()
            return
        try:
            await client.rset()
            self._kept.append(client)
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            client.close()


def _refused(code: int) -> Answer:
    return Rejected(f"SMTP_{code}") if code >= PERMANENT else NotAccepted(f"SMTP_{code}")
