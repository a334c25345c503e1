"""The local carriers: what they accept is in their log before they answer."""

import os
import smtplib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import httpx2
import pytest

from stack.accepted import read_accepted
from stack.parts import ServiceProcess
from stack.ports import free_port

pytestmark = pytest.mark.integration


@dataclass
class Sinks:
    """Running sinks."""

    smtp_port: int
    url: str
    log: Path


@pytest.fixture(scope="module")
def sinks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sinks]:
    """Run the sinks as `attend up` does."""
    folder = tmp_path_factory.mktemp("sinks")
    smtp, http = free_port(), free_port()
    own = {"SINKS_SMTP_PORT": str(smtp), "SINKS_HTTP_PORT": str(http), "SINKS_LOG": str(folder / "accepted.jsonl")}
    process = ServiceProcess(
        ("-m", "stack.sinks"), {**os.environ, **own}, folder / "log", folder, f"http://127.0.0.1:{http}"
    )
    process.start()
    deadline = time.monotonic() + 30
    while not process.is_ready():
        assert time.monotonic() < deadline, process.last_words()
        time.sleep(0.05)
    yield Sinks(smtp, process.url, folder / "accepted.jsonl")
    process.stop()


def test_a_mail_is_logged_with_its_reference_text_and_attachments(sinks: Sinks) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "noreply@attend.example", "ada@example.org", "Your visit"
    mail["Message-ID"] = "<attempt-1@attend.example>"
    mail["List-Unsubscribe"] = "<http://127.0.0.1:8103/callbacks/unsubscribe/token>"
    mail.set_content("See you on Monday.")
    mail.add_attachment("BEGIN:VCALENDAR", subtype="calendar", filename="visit.ics")

    with smtplib.SMTP("127.0.0.1", sinks.smtp_port, timeout=10) as connection:
        connection.send_message(mail)

    (accepted,) = read_accepted(sinks.log, "email", "ada@example.org")
    assert accepted["reference"] == "attempt-1"
    assert accepted["subject"] == "Your visit"
    assert accepted["unsubscribe"] == "http://127.0.0.1:8103/callbacks/unsubscribe/token"
    assert accepted["body"].strip() == "See you on Monday."
    assert accepted["attachments"][0]["name"] == "visit.ics"


def test_an_sms_in_twilios_shape_is_accepted_and_linked_to_our_attempt(sinks: Sinks) -> None:
    callback = "http://127.0.0.1:8103/callbacks/twilio/attempt-2"
    form = {"To": "+15005550001", "From": "+15005550006", "Body": "See you", "StatusCallback": callback}

    answer = httpx2.post(f"{sinks.url}/2010-04-01/Accounts/AC0/Messages.json", data=form, auth=("AC0", "any"))

    assert answer.status_code == 201
    assert answer.json()["status"] == "queued"
    (accepted,) = read_accepted(sinks.log, "sms", "+15005550001")
    assert accepted["reference"] == "attempt-2"
    assert accepted["body"] == "See you"


def test_an_sms_without_a_number_is_refused_and_not_logged(sinks: Sinks) -> None:
    answer = httpx2.post(f"{sinks.url}/2010-04-01/Accounts/AC0/Messages.json", data={"Body": "nobody gets this"})

    assert answer.status_code == 400
    assert not any(line["body"] == "nobody gets this" for line in read_accepted(sinks.log))


def test_a_whatsapp_message_in_metas_shape_is_accepted_and_linked_to_our_attempt(sinks: Sinks) -> None:
    message = {"to": "15005550002", "type": "template", "template": {"name": "reminder"}}

    answer = httpx2.post(f"{sinks.url}/v23.0/100/messages", json={**message, "biz_opaque_callback_data": "attempt-3"})

    assert answer.json()["messages"][0]["id"].startswith("wamid.")
    (accepted,) = read_accepted(sinks.log, "whatsapp", "15005550002")
    assert accepted["reference"] == "attempt-3"
    assert accepted["body"] == {"name": "reminder"}


def test_the_list_of_accepted_messages_can_be_read_by_channel_and_recipient(sinks: Sinks) -> None:
    httpx2.post(f"{sinks.url}/2010-04-01/Accounts/AC0/Messages.json", data={"To": "+15005550009", "Body": "x"})

    listed = httpx2.get(f"{sinks.url}/accepted", params={"channel": "sms", "to": "+15005550009"}).json()

    assert [line["to"] for line in listed] == ["+15005550009"]


@pytest.fixture
def faults(sinks: Sinks) -> Iterator[str]:
    """Return where faults are ordered; none is left behind."""
    yield f"{sinks.url}/faults"
    httpx2.delete(f"{sinks.url}/faults")


def _sms(sinks: Sinks, to: str) -> httpx2.Response:
    return httpx2.post(f"{sinks.url}/2010-04-01/Accounts/AC0/Messages.json", data={"To": to, "Body": "x"}, timeout=0.5)


def test_an_ordered_status_is_answered_as_often_as_ordered_and_nothing_is_accepted(sinks: Sinks, faults: str) -> None:
    httpx2.post(faults, json={"channel": "sms", "fault": "429", "times": 1, "retry_after_s": 7})

    refused, taken = _sms(sinks, "+15005550101"), _sms(sinks, "+15005550101")

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")
    assert taken.status_code == 201
    assert len(read_accepted(sinks.log, "sms", "+15005550101")) == 1


def test_a_fault_meets_only_the_addresses_it_names(sinks: Sinks, faults: str) -> None:
    httpx2.post(faults, json=[{"channel": "whatsapp", "fault": "400", "match": "+15005550102", "carrier_code": 131026}])

    answers = [httpx2.post(f"{sinks.url}/v23.0/1/messages", json={"to": to}) for to in ("15005550102", "15005550103")]

    assert [answer.status_code for answer in answers] == [400, 200]
    assert answers[0].json()["error"]["code"] == 131026


@pytest.mark.parametrize(
    ("fault", "error"),
    [("timeout", httpx2.ReadTimeout), ("cut", httpx2.RemoteProtocolError), ("drip", httpx2.ReadTimeout)],
)
def test_a_spoiled_answer_comes_after_acceptance(
    sinks: Sinks, faults: str, fault: str, error: type[httpx2.HTTPError]
) -> None:
    to = f"+150055502{['timeout', 'cut', 'drip'].index(fault):02d}"
    httpx2.post(faults, json={"channel": "sms", "fault": fault, "match": to})

    with pytest.raises(error):
        _sms(sinks, to)

    assert len(read_accepted(sinks.log, "sms", to)) == 1


def test_a_garbled_answer_is_a_2xx_of_no_carriers_shape(sinks: Sinks, faults: str) -> None:
    httpx2.post(faults, json={"channel": "sms", "fault": "garbage"})

    answer = _sms(sinks, "+15005550105")

    assert answer.status_code == 201
    assert answer.text.startswith("<html>")


@pytest.mark.parametrize(("fault", "error"), [("550", smtplib.SMTPRecipientsRefused), ("451", smtplib.SMTPDataError)])
def test_a_mail_meets_an_ordered_code_and_the_connection_goes_on(
    sinks: Sinks, faults: str, fault: str, error: type[smtplib.SMTPException]
) -> None:
    to = f"code{fault}@example.org"
    httpx2.post(faults, json={"channel": "email", "fault": fault, "times": 1})

    with smtplib.SMTP("127.0.0.1", sinks.smtp_port, timeout=10) as connection:
        with pytest.raises(error):
            connection.sendmail("noreply@attend.example", to, "Subject: x\r\n\r\ny")
        connection.sendmail("noreply@attend.example", to, "Subject: x\r\n\r\ny")

    assert len(read_accepted(sinks.log, "email", to)) == 1


def test_a_mail_server_that_refuses_closes_new_connections_and_kept_ones(sinks: Sinks, faults: str) -> None:
    with smtplib.SMTP("127.0.0.1", sinks.smtp_port, timeout=10) as kept:
        httpx2.post(faults, json={"channel": "email", "fault": "refuse"})
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtplib.SMTP("127.0.0.1", sinks.smtp_port, timeout=10)
        kept.ehlo()
        kept.mail("noreply@attend.example")
        assert kept.rcpt("late@example.org")[0] == 421


def test_silence_after_the_final_dot_comes_after_acceptance(sinks: Sinks, faults: str) -> None:
    httpx2.post(faults, json={"channel": "email", "fault": "timeout"})
    connection = smtplib.SMTP("127.0.0.1", sinks.smtp_port, timeout=0.5)

    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        connection.sendmail("noreply@attend.example", "silent@example.org", "Subject: x\r\n\r\ny")

    connection.close()
    assert len(read_accepted(sinks.log, "email", "silent@example.org")) == 1


def test_a_fault_that_a_channel_does_not_know_is_refused_with_those_it_knows(sinks: Sinks, faults: str) -> None:
    answer = httpx2.post(faults, json={"channel": "email", "fault": "garbage"})

    assert answer.status_code == 422
    assert "refuse, timeout" in answer.text
