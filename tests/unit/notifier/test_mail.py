"""The mail of a confirmation: parts, calendar entry, headers that nothing can break."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from icalendar import Calendar

from notifier.adapters.carriers.composing import Sender, compose
from notifier.adapters.templates import Templates
from schemas.notifications import Kind
from tests.unit.notifier.builders import APPOINTMENT, EMAIL, STARTS, call
from tests.unit.notifier.test_templates import EVIL

SENDER = Sender("appointments@clinic.example")


def mailed(kind: Kind = Kind.CONFIRMATION, **changes: Any) -> EmailMessage:
    """Return the mail as a receiver reads it."""
    raw = compose(call(kind, **changes), Templates(), SENDER).as_bytes()
    received = message_from_bytes(raw, policy=policy.default)
    assert isinstance(received, EmailMessage)
    return received


def entry(mail: EmailMessage) -> Any:
    [attached] = list(mail.iter_attachments())
    assert attached.get_content_type() == "text/calendar"
    assert attached["Content-Type"].params["method"] == "REQUEST"
    calendar = Calendar.from_ical(attached.get_content())
    assert calendar["METHOD"] == "REQUEST"
    [event] = calendar.walk("VEVENT")
    return event


def test_r22_a_confirmation_is_plain_text_and_html_with_a_calendar_entry() -> None:
    mail = mailed()

    plain, rich = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert "Hello Ada" in plain.get_content()
    assert rich is not None
    assert "<strong>" in rich.get_content()
    assert mail["Subject"] == "Your appointment at North Street Clinic is booked"
    assert mail["From"] == "North Street Clinic <appointments@clinic.example>"
    assert mail["To"] == EMAIL
    assert mail["Message-ID"] == f"<{call().attempt_id}@clinic.example>"


def test_d34_the_calendar_entry_keeps_its_uid_and_counts_its_versions() -> None:
    first, second = entry(mailed()), entry(mailed(version=4))

    assert first["UID"] == second["UID"] == f"{APPOINTMENT}@attend"
    assert (first["SEQUENCE"], second["SEQUENCE"]) == (1, 4)
    assert first["DTSTART"].dt == STARTS
    assert first["LOCATION"] == "North Street Clinic"
    assert first["ATTENDEE"] == f"mailto:{EMAIL}"


def test_d35_a_sensitive_clinic_is_named_nowhere_in_the_mail() -> None:
    raw = compose(call(clinic_sensitive=True), Templates(), SENDER).as_bytes()
    mail = mailed(clinic_sensitive=True)

    assert b"North Street" not in raw
    assert mail["Subject"] == "Your appointment is booked"
    assert mail["From"] == "appointments@clinic.example"
    assert "LOCATION" not in entry(mail)


def test_a_reminder_by_mail_carries_no_calendar_entry() -> None:
    assert list(mailed(Kind.REMINDER).iter_attachments()) == []


@pytest.mark.parametrize("name", list(EVIL))
def test_header_injection_by_names_is_impossible(name: str) -> None:
    mail = mailed(given_name=EVIL[name], clinic_name=EVIL[name])

    assert set(mail.keys()) == set(mailed().keys())
    assert mail["Bcc"] is None
    assert mail["To"] == EMAIL
    assert mail["From"].addresses[0].addr_spec == SENDER.address
    assert len(mail["From"].addresses) == 1
