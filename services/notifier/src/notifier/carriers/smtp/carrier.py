"""Email by SMTP. Connections are kept and reused; each carries one mail at a time.

What is known when something breaks:

| when | answer |
|---|---|
| no connection, no greeting, no TLS | not accepted: the mail has not left |
| a refusal, at any step | rejected if it is the mail's fault, else not accepted (`carriers/faults.py`) |
| silence, a broken connection or a reply that is no refusal once the data began | unknown: the server may have it |
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

import aiosmtplib
from jinja2 import TemplateError
from pydantic import SecretStr

from notifier.carriers.port import CannotCompose, Made
from notifier.carriers.smtp.faults import ENHANCED, Phase, of_smtp
from notifier.carriers.smtp.mail import Mail, Sender, compose
from notifier.ledger.domain.notification import Accepted, Call, CarrierResult, NotAccepted, Unsure, refused
from notifier.wording.renderer import Templates
from schemas.notifications import Kind

REFUSALS = range(400, 600)
"""All other replies to a mail are none that we can read; aiosmtplib gives nonsense the code -1."""

ENDING = frozenset({421, 454, 530, 534, 535, 538})
"""After these a connection is good for nothing: the server closes it, or wants a login that it has not had."""

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

    @property
    def account(self) -> str:
        """Who we are there: the server, and a mark of the login, which some servers count among the secrets."""
        mark = sha256(self.username.encode()).hexdigest()[:8] if self.username else "no-login"
        return f"{self.host}:{self.port}/{mark}"


@dataclass(frozen=True, slots=True)
class MailAccount:
    """Who writes, and through which server."""

    server: SmtpServer
    sender: Sender


class EmailCarrier:
    """See `lanes.handle.lane.Carrier`."""

    def __init__(self, account_of: Callable[[str], MailAccount], templates: Templates) -> None:
        self._account_of, self._templates = account_of, templates
        self._kept: defaultdict[SmtpServer, list[aiosmtplib.SMTP]] = defaultdict(list)

    def prepare(self, call: Call) -> Made:
        account = self._account_of(call.visit.clinic_id)
        try:
            mail = compose(call, self._templates, account.sender)
        except (TemplateError, ValueError, LookupError) as error:
            raise CannotCompose(type(error).__name__) from error
        return partial(self._send, account.server, mail)

    async def _send(self, server: SmtpServer, mail: Mail) -> CarrierResult:
        try:
            async with asyncio.timeout(server.timeout_s):
                client = await self._announced(server, mail)
        except aiosmtplib.SMTPResponseException as error:
            return _refused(error)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return NotAccepted(type(error).__name__)
        return await self._handed_over(server, client, mail)

    def tells_of_several(self, clinic_id: str, kind: Kind) -> bool:
        return self._templates.tells_of_several(clinic_id, kind.value)

    async def close(self) -> None:
        kept = [client for clients in self._kept.values() for client in clients]
        self._kept.clear()
        for client in kept:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await client.quit()

    async def _announced(self, server: SmtpServer, mail: Mail) -> aiosmtplib.SMTP:
        """Return a connection on which sender and recipient are accepted, a fresh one if a kept one broke."""
        kept = self._kept[server]
        while kept:
            client = kept.pop()
            try:
                return await self._announce(server, client, mail)
            except _BROKEN:
                client.close()
        return await self._announce(server, await _connected(server), mail)

    async def _announce(self, server: SmtpServer, client: aiosmtplib.SMTP, mail: Mail) -> aiosmtplib.SMTP:
        options = ["RET=HDRS", f"ENVID={mail.envelope_id}"] if client.supports_extension("dsn") else []
        try:
            await client.mail(mail.sender, options=options)
            await client.rcpt(mail.recipient)
        except aiosmtplib.SMTPResponseException as error:
            await self._clear(server, client, error.code)
            raise
        except BaseException:
            client.close()
            raise
        return client

    async def _handed_over(self, server: SmtpServer, client: aiosmtplib.SMTP, mail: Mail) -> CarrierResult:
        try:
            response = await client.data(mail.content)
        except aiosmtplib.SMTPResponseException as error:
            await self._clear(server, client, error.code)
            return _refused(error) if error.code in REFUSALS else Unsure("SMTP_UNREADABLE")
        except (*_BROKEN, aiosmtplib.SMTPException, OSError) as error:
            client.close()
            return Unsure(type(error).__name__)
        except BaseException:
            client.close()
            raise
        self._kept[server].append(client)
        said = response.message.partition("\n")[0]
        return Accepted(said if said and said.isprintable() else mail.message_id)

    async def _clear(self, server: SmtpServer, client: aiosmtplib.SMTP, code: int) -> None:
        """Make a connection fit for the next mail after a refusal, or give it up."""
        if code in ENDING or code not in REFUSALS:
            client.close()
            return
        try:
            await client.rset()
            self._kept[server].append(client)
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            client.close()


async def _connected(server: SmtpServer) -> aiosmtplib.SMTP:
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


def _phase(error: aiosmtplib.SMTPResponseException) -> Phase:
    match error:
        case aiosmtplib.SMTPSenderRefused():
            return Phase.MAIL
        case aiosmtplib.SMTPRecipientRefused():
            return Phase.RCPT
        case aiosmtplib.SMTPDataError():
            return Phase.DATA
    return Phase.LOGIN


def _refused(error: aiosmtplib.SMTPResponseException) -> CarrierResult:
    """Return what a refusal means; one that cannot be read, before the data, is the server's."""
    if error.code not in REFUSALS:
        return NotAccepted("SMTP_UNREADABLE")
    enhanced = ENHANCED.search(error.message)
    code = f"SMTP_{error.code}" + (f"_{enhanced[0]}" if enhanced else "")
    return refused(of_smtp(_phase(error), error.code, error.message), code)
