"""Returned mails (RFC 3464): which mail came back, and whether for good."""

from uuid import UUID

import pytest

from notifier.callbacks.handle.intake import Unread
from notifier.carriers.smtp.bounces import LARGEST_MAIL, read_mail
from notifier.receipts.domain import Carrier, Receipt, Reported

ATTEMPT = UUID("0a1b2c3d-0000-5000-8000-000000000005")


def bounce(
    *,
    action: str = "failed",
    status: str = "5.1.1",
    envelope: str | None = None,
    returned: str = "text/rfc822-headers",
    message_id: str | None = f"<{ATTEMPT}@attend.example>",
    kind: str = "message/delivery-status",
) -> bytes:
    """Return a bounce as Postfix writes it."""
    lines = [
        "Return-Path: <>",
        "From: MAILER-DAEMON@mx.example (Mail Delivery System)",
        "To: appointments@attend.example",
        "Subject: Undelivered Mail Returned to Sender",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b1"',
        "",
        "--b1",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        "I'm sorry to have to inform you that your message could not be delivered.",
        "",
        "--b1",
        f"Content-Type: {kind}",
        "",
        *([f"Original-Envelope-Id: {envelope}"] if envelope else []),
        "Reporting-MTA: dns; mx.example",
        "Arrival-Date: Mon, 1 Mar 2027 09:00:00 +0000",
        "",
        "Final-Recipient: rfc822; ada@example.org",
        f"Action: {action}",
        f"Status: {status}",
        "Diagnostic-Code: smtp; 550 5.1.1 <ada@example.org>: no such user",
        "",
        "--b1",
        f"Content-Type: {returned}",
        "",
        *([f"Message-ID: {message_id}"] if message_id else []),
        "Subject: Your appointment",
        "From: appointments@attend.example",
        "",
        "Dear Ada" if returned == "message/rfc822" else "",
        "--b1--",
        "",
    ]
    return "\r\n".join(lines).encode()


def reports(mail: bytes) -> list[Receipt]:
    read = read_mail(mail)
    assert not read.unread
    return [one.said for one in read.reports]


@pytest.mark.parametrize("returned", ["text/rfc822-headers", "message/rfc822"])
def test_a_permanent_failure_is_undelivered_by_the_message_id_that_came_back(returned: str) -> None:
    assert reports(bounce(returned=returned)) == [
        Receipt(Carrier.EMAIL, f"{ATTEMPT}/failed/DSN_5.1.1", Reported.UNDELIVERED, ATTEMPT, code="DSN_5.1.1")
    ]


def test_our_envelope_id_is_enough() -> None:
    (report,) = reports(bounce(envelope=str(ATTEMPT), message_id=None))
    assert report.attempt_id == ATTEMPT


def test_a_server_that_gave_up_after_days_of_4xx_is_undelivered_too() -> None:
    (report,) = reports(bounce(status="4.4.1 (connection timed out)"))
    assert (report.status, report.code) == (Reported.UNDELIVERED, "DSN_4.4.1")


def test_a_delay_says_nothing() -> None:
    assert reports(bounce(action="delayed", status="4.4.1")) == []


def test_a_delivery_is_one() -> None:
    (report,) = reports(bounce(action="Delivered", status="2.0.0"))
    assert report.status is Reported.DELIVERED


def test_no_address_is_in_what_is_kept() -> None:
    assert "ada" not in repr(reports(bounce())).lower()


@pytest.mark.parametrize(
    "mail",
    [b"", b"\x00\xff" * 1000, b"From: a\r\n\r\nI am on holiday", bounce(kind="text/plain"), bounce(message_id=None),
     bounce(message_id="<someone@else.example>"), bounce()[:700].replace(b"delivery-status", b"x"),
     b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n\r\n" * 500],
)  # fmt: skip
def test_any_other_mail_is_no_bounce_of_ours(mail: bytes) -> None:
    (kept,) = read_mail(mail).unread
    assert kept.content == mail


def test_a_recipient_whose_report_cannot_be_read_leaves_that_of_the_other() -> None:
    odd = b"Final-Recipient: rfc822; eve@example.org\r\nAction: exploded\r\n\r\n"
    mail = bounce().replace(b"Final-Recipient: rfc822; ada", odd + b"Final-Recipient: rfc822; ada")

    read = read_mail(mail)

    assert [one.said.code for one in read.reports] == ["DSN_5.1.1"]
    assert read.unread == [Unread("recipient", mail)]


def test_a_mail_that_is_too_large_is_kept_and_not_read() -> None:
    assert read_mail(b"x" * (LARGEST_MAIL + 1)).unread[0].reason == "size"


def test_a_mail_of_mails_of_mails_is_no_bounce_and_no_harm() -> None:
    nested = b"Content-Type: message/rfc822\r\n\r\n" * 3000 + b"Subject: deep\r\n\r\n"
    (kept,) = read_mail(nested).unread
    assert kept.content == nested
