"""The mail of a confirmation: parts, calendar entry, headers that nothing can break."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from icalendar import Calendar

from notifier.carriers.port import CannotCompose
from notifier.carriers.smtp.carrier import EmailCarrier, MailAccount, SmtpServer
from notifier.carriers.smtp.mail import Sender, compose
from notifier.gate.domain.channels import Route
from notifier.values.kinds import KINDS
from notifier.wording.renderer import Templates
from schemas.appointments import Status
from schemas.notifications import Channel, Kind
from tests.support.notifier.builders import APPOINTMENT, EMAIL, STARTS, call, visit
from tests.unit.notifier.wording.test_rendering import EVIL

SENDER = Sender("appointments@clinic.example")


def mailed(kind: Kind = Kind.CONFIRMATION, **changes: Any) -> EmailMessage:
    """Return the mail as a receiver reads it."""
    raw = compose(call(kind, **changes), Templates(), SENDER).content
    received = message_from_bytes(raw, policy=policy.default)
    assert isinstance(received, EmailMessage)
    return received


def entry(mail: EmailMessage, method: str = "REQUEST") -> Any:
    """Return the entry as an independent reader sees it, in the place where Outlook and Google look for it."""
    alternatives, attached = mail.iter_parts()
    assert alternatives.get_content_type() == "multipart/alternative"
    read = list(alternatives.iter_parts())[-1]
    assert (read.get_content_type(), read["Content-Type"].params["method"]) == ("text/calendar", method)
    assert read.get_content_disposition() is None
    assert (attached.get_content_type(), attached.get_filename()) == ("application/ics", "invite.ics")
    assert attached.get_content() == read.get_payload(decode=True)
    calendar = Calendar.from_ical(read.get_content())
    assert calendar["METHOD"] == method
    [event] = calendar.walk("VEVENT")
    assert event["ORGANIZER"] == f"mailto:{mail['From'].addresses[0].addr_spec}"
    assert event["ATTENDEE"] == f"mailto:{mail['To']}"
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


def test_d34_a_moved_visit_is_asked_for_again_and_a_cancelled_one_is_taken_back_under_the_same_uid() -> None:
    booked, moved = entry(mailed()), entry(mailed(Kind.MOVED, version=2, starts_at=STARTS + timedelta(days=1)))
    cancelled = entry(mailed(Kind.CANCELLED, version=3, status=Status.CANCELLED), "CANCEL")

    assert booked["UID"] == moved["UID"] == cancelled["UID"]
    assert [one["SEQUENCE"] for one in (booked, moved, cancelled)] == [1, 2, 3]
    assert [one["STATUS"] for one in (booked, moved, cancelled)] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert moved["DTSTART"].dt == STARTS + timedelta(days=1)


def test_d37_a_visit_in_anothers_place_also_takes_that_one_out_of_the_calendar() -> None:
    """Both have UIDs of their own: without an end the earlier entry stays for ever."""
    earlier = visit(appointment_id=UUID(int=7), version=5, status=Status.CANCELLED)
    booked = call(Kind.MOVED, starts_at=STARTS + timedelta(days=7))
    raw = compose(replace(booked, replaced=earlier), Templates(), SENDER).content
    mail: Any = message_from_bytes(raw, policy=policy.default)
    alternatives, invite, ended = mail.iter_parts()
    calendar: Any = Calendar.from_ical(ended.get_content())
    [gone] = calendar.walk("VEVENT")
    booking: Any = Calendar.from_ical(list(alternatives.iter_parts())[-1].get_content())
    [stands] = booking.walk("VEVENT")

    assert (ended.get_content_type(), ended["Content-Type"].params["method"]) == ("text/calendar", "CANCEL")
    assert (ended.get_content_disposition(), ended.get_filename()) == ("attachment", "cancelled.ics")
    assert invite.get_filename() == "invite.ics"
    assert (calendar["METHOD"], gone["STATUS"]) == ("CANCEL", "CANCELLED")
    assert (gone["UID"], gone["SEQUENCE"], gone["DTSTART"].dt) == (f"{UUID(int=7)}@attend", 5, STARTS)
    assert (gone["ORGANIZER"], gone["ATTENDEE"]) == (stands["ORGANIZER"], stands["ATTENDEE"])
    assert (stands["UID"], stands["DTSTART"].dt) == (f"{APPOINTMENT}@attend", STARTS + timedelta(days=7))
    assert raw.isascii()
    assert not [defect for part in mail.walk() for defect in part.defects]


def test_d34_the_entrys_instants_are_in_utc_so_that_no_table_of_zones_is_needed() -> None:
    attached = next(iter(mailed(zone="America/New_York").iter_attachments())).get_content().decode()

    assert f"DTSTART:{STARTS:%Y%m%dT%H%M%SZ}" in attached
    assert "VTIMEZONE" not in attached


def test_a_visit_without_an_end_lasts_in_a_calendar_what_its_clinic_says() -> None:
    sender = replace(SENDER, visit_lasts=timedelta(minutes=45))
    without, booked = mailed(ends_at=None), mailed()
    of_clinic: Any = message_from_bytes(compose(call(ends_at=None), Templates(), sender).content, policy=policy.default)

    assert [("DTEND" in one, "DURATION" in one) for one in map(entry, (booked, without))] == [
        (True, False),
        (False, True),
    ]
    assert entry(without)["DURATION"].dt == timedelta(minutes=30)
    assert entry(of_clinic)["DURATION"].dt == timedelta(minutes=45)


@pytest.mark.parametrize(("kind", "status"), [(Kind.CONFIRMATION, Status.BOOKED), (Kind.CANCELLED, Status.CANCELLED)])
def test_d34_an_entry_says_what_outlook_and_google_ask_of_an_invitation_and_of_its_end(
    kind: Kind, status: Status
) -> None:
    event = entry(mailed(kind, status=status), str(KINDS[kind].calendar))

    assert set(event) >= {"UID", "SEQUENCE", "DTSTAMP", "DTSTART", "SUMMARY", "STATUS", "ORGANIZER", "ATTENDEE"}
    assert event["ORGANIZER"].params["CN"] == "North Street Clinic"


@pytest.mark.parametrize("clinic", ["Praxis; Nord, \\ Süd", "李雷诊所" * 12, "Ä" * 80, "x" * 80])
def test_an_entry_of_any_clinics_name_keeps_to_75_octets_a_line_and_reads_back(clinic: str) -> None:
    mail = mailed(clinic_name=clinic)
    raw = next(iter(mail.iter_attachments())).get_payload(decode=True)

    assert isinstance(raw, bytes)
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    assert entry(mail)["LOCATION"] == clinic[:79] + "…" * (len(clinic) > 80) if len(clinic) > 80 else clinic


@pytest.mark.parametrize("given_name", ["Ada", "Zoë", "李雷", "محمد"])
def test_a_mail_is_ascii_in_lines_that_every_server_takes_and_says_what_it_was_given(given_name: str) -> None:
    raw = compose(call(given_name=given_name, clinic_name="Clinique d\u2019Été"), Templates(), SENDER).content
    mail = mailed(given_name=given_name, clinic_name="Clinique d\u2019Été")
    plain_part = mail.get_body(("plain",))

    assert raw.isascii()
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert plain_part is not None
    assert f"Hello {given_name}," in plain_part.get_content()
    assert mail["From"].addresses[0].display_name == "Clinique d\u2019Été"
    assert mail["Subject"] == "Your appointment at Clinique d\u2019Été is booked"
    assert not [defect for part in mail.walk() for defect in part.defects]


def test_answers_go_where_the_clinic_wants_them() -> None:
    sender = Sender("noreply@clinic.example", "desk@clinic.example")
    raw = compose(call(), Templates(), sender).content

    assert b"\r\nReply-To: desk@clinic.example\r\n" in raw


@pytest.mark.parametrize("address", ["ada@example.org\r\nBcc: x@example.org", "zoë@example.org", "a b@example.org", ""])
def test_an_address_that_cannot_stand_in_a_header_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        compose(call(route=Route(Channel.EMAIL, address)), Templates(), SENDER)


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        ("bücher.example", b"xn--bcher-kva.example"),
        ("BÜCHER.example", b"xn--bcher-kva.example"),
        ("bu\u0308cher.example", b"xn--bcher-kva.example"),
        ("straße.example", b"xn--strae-oqa.example"),
        ("βόλος.example", "βόλος".encode("punycode").join((b"xn--", b".example"))),
        ("bücher\u3002example", b"xn--bcher-kva.example"),
    ],
)
def test_a_domain_in_other_letters_is_written_by_its_ascii_name(domain: str, name: bytes) -> None:
    mail = compose(call(route=Route(Channel.EMAIL, f"ada@{domain}")), Templates(), SENDER)

    assert mail.recipient.encode() == b"ada@" + name
    assert b"\r\nTo: ada@" + name + b"\r\n" in mail.content


@pytest.mark.parametrize(
    "domain", ["☃.example", "ü..example", "ü" * 64 + ".example", "\u05d01a.example", "\ud800.example"]
)
def test_a_domain_that_nobody_can_hold_is_the_messages_own_fault(domain: str) -> None:
    account = MailAccount(SmtpServer("mail.example", 25, "none", None, None, 5.0), SENDER)
    carrier = EmailCarrier(lambda _: account, Templates())

    with pytest.raises(CannotCompose):
        carrier.prepare(call(route=Route(Channel.EMAIL, f"ada@{domain}")))


def test_d35_a_sensitive_clinic_is_named_nowhere_in_the_mail() -> None:
    raw = compose(call(clinic_sensitive=True), Templates(), SENDER).content
    mail = mailed(clinic_sensitive=True)

    assert b"North Street" not in raw
    assert mail["Subject"] == "Your appointment is booked"
    assert mail["From"] == "appointments@clinic.example"
    assert "LOCATION" not in entry(mail)
    assert "CN" not in entry(mail)["ORGANIZER"].params


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


LONG_NAMES = (
    'North" <evil@example.net>, Bcc: evil@example.net, X: y',
    "Ear, Nose and Throat, Orthopaedics, Physiotherapy and Radiology of the North",
    'back\\slash, \\", and a comma far behind where a header of 78 characters is folded',
)


@pytest.mark.parametrize("name", LONG_NAMES)
def test_a_long_clinic_name_with_commas_is_one_senders_name(name: str) -> None:
    """Folded by the standard library, such a name lost its quotes: the mail came from nobody, or from two."""
    mail = mailed(clinic_name=name)

    [sender] = mail["From"].addresses
    assert (sender.display_name, sender.addr_spec) == (name, SENDER.address)
    assert mail["From"].defects == ()
