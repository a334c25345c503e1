"""Whose fault a carrier's refusal is, by its own codes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from pydantic import SecretStr

from notifier.carriers.faults import by_code
from notifier.carriers.meta.carrier import MetaAccount, WhatsAppCarrier, of_meta
from notifier.carriers.smtp.carrier import EmailCarrier, MailAccount, SmtpServer
from notifier.carriers.smtp.faults import Phase, of_smtp
from notifier.carriers.smtp.mail import Sender
from notifier.carriers.twilio.carrier import of_twilio
from notifier.gate.domain.channels import Route
from notifier.ledger.domain.faults import THROTTLED, Fault
from notifier.ledger.domain.notification import Accepted, CarrierResult, NotAccepted, Rejected
from notifier.wording.renderer import Templates
from schemas.notifications import Channel, Kind
from tests.support.notifier.builders import MOBILE, call


@pytest.mark.parametrize(
    ("status", "code", "fault"),
    [
        (400, 4, Fault.THROTTLE),
        (400, 80007, Fault.THROTTLE),
        (400, 130429, Fault.THROTTLE),
        (400, 131048, Fault.THROTTLE),
        (400, 131056, Fault.FOR_NOW),
        (400, 131026, Fault.MESSAGE),
        (400, 131047, Fault.SENDER),
        (400, 132001, Fault.SENDER),
        (401, 190, Fault.ACCOUNT),
        (400, 190, Fault.ACCOUNT),
        (400, 10, Fault.ACCOUNT),
        (400, 200, Fault.ACCOUNT),
        (403, 299, Fault.ACCOUNT),
        (403, 131031, Fault.ACCOUNT),
        (400, 131042, Fault.ACCOUNT),
        (400, 100, Fault.MESSAGE),
        (400, 999_999, Fault.MESSAGE),
        (400, None, Fault.MESSAGE),
        (401, None, Fault.ACCOUNT),
        (429, None, Fault.THROTTLE),
        (429, 999_999, Fault.THROTTLE),
        (500, 131000, Fault.CARRIER),
        (302, None, Fault.CARRIER),
    ],
)
def test_every_refusal_of_metas_is_taken_by_its_code(status: int, code: int | None, fault: Fault) -> None:
    assert of_meta(status, code) is fault


@pytest.mark.parametrize(
    ("status", "code", "fault"),
    [
        (401, 20003, Fault.ACCOUNT),
        (403, 20003, Fault.ACCOUNT),
        (401, 20005, Fault.ACCOUNT),
        (400, 20005, Fault.ACCOUNT),
        (429, 20429, Fault.THROTTLE),
        (400, 21611, Fault.THROTTLE),
        (400, 21211, Fault.MESSAGE),
        (400, 21610, Fault.MESSAGE),
        (403, 21610, Fault.MESSAGE),
        (400, 21614, Fault.MESSAGE),
        (400, 21408, Fault.SENDER),
        (400, 21606, Fault.SENDER),
        (404, 20404, Fault.ACCOUNT),
    ],
)
def test_every_refusal_of_twilios_is_taken_by_its_code(status: int, code: int | None, fault: Fault) -> None:
    assert of_twilio(status, code) is fault


@pytest.mark.parametrize(
    ("phase", "code", "said", "fault"),
    [
        (Phase.LOGIN, 535, "5.7.8 Authentication failed", Fault.ACCOUNT),
        (Phase.LOGIN, 534, "5.7.9 Application-specific password required", Fault.ACCOUNT),
        (Phase.LOGIN, 538, "5.7.11 Encryption required", Fault.ACCOUNT),
        (Phase.LOGIN, 454, "4.7.0 Temporary authentication failure", Fault.ACCOUNT),
        (Phase.LOGIN, 554, "No SMTP service here", Fault.ACCOUNT),
        (Phase.LOGIN, 550, "your address is listed", Fault.ACCOUNT),
        (Phase.LOGIN, 421, "Too many connections", Fault.CARRIER),
        (Phase.LOGIN, 451, "try later", Fault.CARRIER),
        (Phase.MAIL, 530, "5.7.0 Must issue a STARTTLS command first", Fault.ACCOUNT),
        (Phase.MAIL, 530, "5.7.57 Client not authenticated to send mail", Fault.ACCOUNT),
        (Phase.MAIL, 550, "5.7.1 Relaying denied", Fault.ACCOUNT),
        (Phase.MAIL, 550, "5.7.60 Client does not have permissions to send as this sender", Fault.SENDER),
        (Phase.MAIL, 553, "5.1.8 Sender address rejected", Fault.SENDER),
        (Phase.MAIL, 550, "sender unknown here", Fault.SENDER),
        (Phase.MAIL, 451, "4.3.0 try later", Fault.FOR_NOW),
        (Phase.MAIL, 550, "5.4.5 Daily sending quota exceeded", Fault.THROTTLE),
        (Phase.RCPT, 530, "5.7.0 Authentication required", Fault.ACCOUNT),
        (Phase.RCPT, 554, "5.7.1 <…>: Relay access denied", Fault.ACCOUNT),
        (Phase.RCPT, 550, "5.7.1 Recipient does not want mail from strangers", Fault.MESSAGE),
        (Phase.RCPT, 550, "5.1.1 User unknown", Fault.MESSAGE),
        (Phase.RCPT, 550, "no such user", Fault.MESSAGE),
        (Phase.RCPT, 450, "4.2.0 greylisted", Fault.FOR_NOW),
        (Phase.RCPT, 421, "4.7.0 closing", Fault.CARRIER),
        (Phase.DATA, 550, "5.7.26 DMARC of the sender's domain", Fault.SENDER),
        (Phase.DATA, 550, "5.7.501 Access denied, spam abuse detected", Fault.ACCOUNT),
        (Phase.DATA, 554, "5.7.1 looks like spam", Fault.MESSAGE),
        (Phase.DATA, 554, "5.7.1 your relay sends spam", Fault.MESSAGE),
        (Phase.DATA, 454, "Throttling failure: Maximum sending rate exceeded.", Fault.THROTTLE),
        (Phase.DATA, 552, "5.3.4 too big", Fault.MESSAGE),
        (Phase.DATA, 451, "4.3.0 try later", Fault.FOR_NOW),
    ],
)
def test_every_refusal_of_a_mail_servers_is_taken_by_step_and_code(
    phase: Phase, code: int, said: str, fault: Fault
) -> None:
    assert of_smtp(phase, code, said) is fault


def test_no_code_stands_for_two_faults() -> None:
    with pytest.raises(ValueError, match="two faults"):
        by_code(MESSAGE="1 2", ACCOUNT="2")


@asynccontextmanager
async def mail_server(**replies: str) -> AsyncIterator[SmtpServer]:
    """Run a mail server that answers these commands so, and all others well."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(replies.get("greeting", "220 ready").encode() + b"\r\n")
        while line := await reader.readline():
            verb = line.split()[0].decode().lower()
            usual = {"ehlo": "250-here\r\n250 AUTH PLAIN", "auth": "235 ok", "data": "354 go on", "quit": "221 bye"}
            writer.write(replies.get(verb, usual.get(verb, "250 ok")).encode("latin-1") + b"\r\n")
            if verb == "data" and "data" not in replies:
                await reader.readuntil(b"\r\n.\r\n")
                writer.write(replies.get("dot", "250 taken").encode("latin-1") + b"\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield SmtpServer("127.0.0.1", port, "none", "attend", SecretStr("hush"), 5.0)


async def mailed(**replies: str) -> CarrierResult:
    async with mail_server(**replies) as server:
        account = MailAccount(server, Sender("desk@attend.example"))
        carrier = EmailCarrier(lambda _: account, Templates())
        try:
            return await carrier.prepare(call())()
        finally:
            await carrier.close()


@pytest.mark.parametrize(
    ("step", "reply", "expected"),
    [
        ("auth", "535 5.7.8 Error: authentication failed", NotAccepted("SMTP_535_5.7.8", fault=Fault.ACCOUNT)),
        ("auth", "454 4.7.0 later", NotAccepted("SMTP_454_4.7.0", fault=Fault.ACCOUNT)),
        ("greeting", "554 no service", NotAccepted("SMTP_554", fault=Fault.ACCOUNT)),
        ("mail", "530 5.7.0 Must issue a STARTTLS command first", NotAccepted("SMTP_530_5.7.0", fault=Fault.ACCOUNT)),
        ("mail", "550 5.7.60 not as this", NotAccepted("SMTP_550_5.7.60", fault=Fault.SENDER)),
        ("rcpt", "554 5.7.1 Relay access denied", NotAccepted("SMTP_554_5.7.1", fault=Fault.ACCOUNT)),
        ("rcpt", "550 5.1.1 no such user", Rejected("SMTP_550_5.1.1")),
        ("rcpt", "nonsense", NotAccepted("SMTP_UNREADABLE")),
        ("dot", "454 Throttling failure", NotAccepted("SMTP_454", THROTTLED, Fault.THROTTLE)),
        ("dot", "550 5.7.1 spam", Rejected("SMTP_550_5.7.1")),
        ("dot", "250 queued as 7", Accepted("queued as 7")),
    ],
)
async def test_a_mail_servers_refusal_is_the_accounts_the_senders_or_the_mails(
    step: str, reply: str, expected: CarrierResult
) -> None:
    assert await mailed(**{step: reply}) == expected


@pytest.mark.parametrize("said", ["250 schön", "250 a\x00b", "250 a\x1b[31m", "250-one\x07\r\n250 two", "250 "])
async def test_what_a_mail_server_says_as_it_accepts_can_be_written_down_whatever_it_is(said: str) -> None:
    answer = await mailed(dot=said)

    assert isinstance(answer, Accepted)
    assert answer.reference.isprintable()
    assert answer.reference.encode()


async def test_a_phone_number_id_that_is_not_ours_is_the_accounts_fault_whatever_its_code() -> None:
    """Meta says 100, invalid parameter, of the address that we post to."""
    said = {"error": {"code": 100, "error_subcode": 33, "message": "Object does not exist"}}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(400, json=said))
    async with httpx2.AsyncClient(transport=transport, base_url="http://carrier") as client:
        carrier = WhatsAppCarrier(client, lambda _: MetaAccount("123", SecretStr("hush")))
        answer = await carrier.prepare(call(Kind.REMINDER, Route(Channel.WHATSAPP, MOBILE)))()

    assert answer == NotAccepted("HTTP_400_33", fault=Fault.ACCOUNT)
