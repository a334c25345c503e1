"""Whatever people and clinics are called, a message stays one message: tried with names nobody thought of."""

from email import message_from_bytes, policy
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from notifier.carriers.smtp.mail import Sender, compose
from notifier.template_tools import html_check
from notifier.wording.domain.safe_text import clipped, first_name, plain
from notifier.wording.domain.sms_segments import segments
from notifier.wording.renderer import Templates
from notifier.wording.words import words_of
from schemas.notifications import Kind
from tests.support.notifier.builders import EMAIL, call

NASTY = st.sampled_from(
    [
        "\r\n",
        "\n",
        "=?utf-8?q?",
        "?=",
        "{{",
        "}}",
        "{%",
        "<",
        ">",
        "&",
        '"',
        "\\",
        ";",
        ",",
        "\u202e",
        "\x00",
        "=_",
        ".",
    ]
)
NAMES = st.lists(st.one_of(NASTY, st.text(max_size=12)), max_size=12).map("".join)
TEMPLATES = Templates()
SENDER = Sender("appointments@clinic.example")
HEADERS = {
    "Message-ID", "Date", "From", "To", "Subject", "Auto-Submitted", "Content-Language", "MIME-Version", "Content-Type",
}  # fmt: skip


def test_a_backslash_in_a_clinics_name_breaks_no_line_of_its_calendar_entry() -> None:
    raw = compose(call(clinic_name="Haus\\Nord; A \\N \\n"), TEMPLATES, SENDER).content
    mail: Any = message_from_bytes(raw, policy=policy.default)
    (entry,) = (part for part in mail.walk() if part.get_content_type() == "text/calendar")
    (event,) = Calendar.from_ical(entry.get_content()).walk("VEVENT")

    assert str(event["LOCATION"]).replace("\u200b", "") == "Haus\\Nord; A \\N \\n"


@settings(deadline=None)  # on a busy machine an example may take any time
@given(given_name=NAMES, clinic_name=NAMES)
def test_no_name_breaks_out_of_a_mail_or_its_calendar_entry(given_name: str, clinic_name: str) -> None:
    raw = compose(call(given_name=given_name, clinic_name=clinic_name), TEMPLATES, SENDER).content
    mail: Any = message_from_bytes(raw, policy=policy.default)

    assert raw.isascii()
    assert all(len(line) <= 998 and b"\r" not in line and b"\n" not in line for line in raw.split(b"\r\n"))
    assert set(mail.keys()) == HEADERS
    assert mail["To"] == EMAIL
    assert [address.addr_spec for address in mail["From"].addresses] == [SENDER.address]
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar", "application/ics",
    ]  # fmt: skip
    assert html_check.read(mail.get_body(("html",)).get_content()).faults == []
    assert plain(clinic_name) in " ".join(mail.get_body(("plain",)).get_content().split())
    [entry] = Calendar.from_ical(next(iter(mail.iter_attachments())).get_content()).walk("VEVENT")
    assert str(entry.get("LOCATION", "")) == plain(clinic_name)


@settings(deadline=None)  # on a busy machine an example may take any time
@given(given_name=NAMES, clinic_name=NAMES)
def test_no_name_makes_an_sms_of_more_than_one_line_or_of_many_segments(given_name: str, clinic_name: str) -> None:
    words = words_of(call(Kind.REMINDER, given_name=given_name, clinic_name=clinic_name))

    text = TEMPLATES.render("NORTH", "reminder", "sms.txt", words)

    assert len(text.splitlines()) == 1
    assert segments(text).count <= 5


@settings(deadline=None)  # on a busy machine an example may take any time
@given(name=NAMES)
@example(name="Ann .. Lee")
def test_a_cleaned_name_is_clean_already(name: str) -> None:
    assert plain(plain(name)) == plain(name)
    assert first_name(first_name(name)) == first_name(name)
    assert len(clipped(plain(name), 20)) <= 20
