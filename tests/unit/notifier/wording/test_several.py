"""One message about several visits of a day: the day once, the times as the language lists them (decision 0050)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from icalendar import Calendar

from notifier.carriers.meta.carrier import TEMPLATES as APPROVED
from notifier.carriers.meta.carrier import body_of
from notifier.carriers.smtp.mail import Sender, compose
from notifier.gate.domain.channels import Route
from notifier.gate.domain.visit import NO_DETAILS, Details
from notifier.ledger.domain.notification import Call
from notifier.template_tools import html_check
from notifier.template_tools.lint import lint
from notifier.values.kinds import NEWS
from notifier.wording.renderer import PARTS, Part, Templates
from notifier.wording.words import LANGUAGES, worded_as, words_of
from schemas.notifications import Channel, Kind
from tests.support.notifier.builders import APPOINTMENT, MOBILE, STARTS, call

TEMPLATES = Templates()
KINDS = sorted(NEWS)


def told(
    kind: Kind = Kind.CANCELLED, hours: Sequence[int] = (0, 1, 3), details: Sequence[Details] = (), **visit: Any
) -> Call:
    """Return a call about visits so many hours after the first."""
    of_each = list(details) or [NO_DETAILS] * len(hours)
    calls = [
        replace(
            call(
                kind, Route(Channel.EMAIL, "ada@example.org"),
                **{"appointment_id": UUID(int=APPOINTMENT.int + nth), "starts_at": STARTS + timedelta(hours=hour),
                   "ends_at": None, "version": nth + 1, "clinic_details": of_each[nth], **visit},
            ),
            attempt_id=UUID(int=nth + 1),
        )
        for nth, hour in enumerate(hours)
    ]  # fmt: skip
    return replace(calls[0], also=tuple(calls[1:]))


def render(part: Part, one: Call) -> str:
    return TEMPLATES.render("NORTH", worded_as(one), part, words_of(one))


@pytest.mark.parametrize(
    ("visit", "times"),
    [
        ({"clinic_country": "GB"}, "09:00, 10:00 and 12:00"),
        ({"clinic_country": "US"}, "9:00 AM, 10:00 AM, and 12:00 PM"),
        ({"language": "de", "clinic_country": "DE"}, "09:00, 10:00 und 12:00"),
        ({"language": "pl", "clinic_country": "PL"}, "09:00, 10:00 i 12:00"),
    ],
)
def test_the_times_are_listed_as_the_language_does(visit: dict[str, Any], times: str) -> None:
    words = words_of(told(**visit))

    assert (words.times, words.time) == (times, times.partition(",")[0])


def test_of_one_visit_the_list_is_its_time_and_two_at_one_time_are_named_once() -> None:
    alone, twice = words_of(told(hours=(0,))), words_of(told(hours=(0, 0)))

    assert alone.times == alone.time == twice.times


@pytest.mark.parametrize(("kind", "language", "part"), list(product(KINDS, sorted(LANGUAGES), PARTS)))
def test_every_language_says_every_kind_of_news_of_several_visits(kind: Kind, language: str, part: Part) -> None:
    one = told(kind, language=language)
    said = render(part, one)

    assert said
    if part != "subject.txt":
        text = html_check.read(said).text if part == "html" else said
        assert words_of(one).times in " ".join(text.split())


@pytest.mark.parametrize(("kind", "part"), list(product(KINDS, PARTS)))
def test_d35_a_sensitive_clinic_is_named_nowhere_and_no_service_is(kind: Kind, part: Part) -> None:
    said = render(part, told(kind, clinic_sensitive=True, details=[Details("+442079460018", "1 Long Street")] * 3))

    for secret in ("North Street", "Long Street", "7946", "Physiotherapy"):
        assert secret not in said


def test_what_to_prepare_stands_once_if_it_is_the_same_and_else_under_its_time() -> None:
    card, fast = Details(preparation="Bring your card."), Details(preparation="Do not eat.\nDrink.")

    assert words_of(told(details=[card] * 3)).preparation == "Bring your card."
    differs = words_of(told(clinic_country="GB", details=[card, NO_DETAILS, fast])).preparation
    assert differs == "09:00:\nBring your card.\n12:00:\nDo not eat.\nDrink."


def test_a_phone_is_named_if_it_is_the_one_of_all() -> None:
    one, other = Details(phone="+442079460018"), Details(phone="+442079460019")

    assert words_of(told(details=[one] * 3)).phone == "+44 20 7946 0018"
    assert words_of(told(details=[one, one, other])).phone == ""


@pytest.mark.parametrize(("kind", "method"), [(Kind.CANCELLED, "CANCEL"), (Kind.MOVED, "REQUEST")])
def test_d34_a_mail_has_an_entry_for_each_visit_each_of_one_uid(kind: Kind, method: str) -> None:
    mail: Any = message_from_bytes(
        compose(told(kind), TEMPLATES, Sender("desk@clinic.example")).content, policy=policy.default
    )
    alternatives, invite, *others = mail.iter_parts()
    read = [list(alternatives.iter_parts())[-1], *others]
    calendars: Any = [Calendar.from_ical(one.get_content()) for one in read]

    assert [one["METHOD"] for one in calendars] == [method] * 3
    events = [event for one in calendars for event in one.walk("VEVENT")]
    assert [one["UID"] for one in events] == [f"{UUID(int=APPOINTMENT.int + nth)}@attend" for nth in range(3)]
    assert [one["SEQUENCE"] for one in events] == [1, 2, 3]
    assert [one["DTSTART"].dt for one in events] == [STARTS + timedelta(hours=hour) for hour in (0, 1, 3)]
    assert {one["Content-Type"].params["method"] for one in read} == {method}
    assert [one.get_filename() for one in (invite, *others)] == ["invite.ics", "invite-2.ics", "invite-3.ics"]
    assert not [defect for part in mail.walk() for defect in part.defects]


def test_d37_the_earlier_visit_of_each_is_taken_out_of_the_calendar() -> None:
    one = told(Kind.MOVED, hours=(0, 1))
    gone = [replace(each.visit, appointment_id=UUID(int=70 + nth)) for nth, each in enumerate(one.every)]
    moved = replace(one, replaced=gone[0], also=(replace(one.also[0], replaced=gone[1]),))
    mail: Any = message_from_bytes(
        compose(moved, TEMPLATES, Sender("desk@clinic.example")).content, policy=policy.default
    )
    _, _, *others = mail.iter_parts()

    assert [part.get_filename() for part in others] == ["cancelled.ics", "invite-2.ics", "cancelled-2.ics"]
    assert [part["Content-Type"].params["method"] for part in others] == ["CANCEL", "REQUEST", "CANCEL"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_whatsapp_template_keeps_its_parameters_and_lists_the_times_in_one(kind: Kind) -> None:
    one = replace(told(kind, clinic_country="GB"), route=Route(Channel.WHATSAPP, MOBILE))
    alone, several = (body_of(each, APPROVED[kind])["template"] for each in (replace(one, also=()), one))

    texts = [parameter["text"] for parameter in several["components"][0]["parameters"]]
    assert texts[-1] == "09:00, 10:00 and 12:00"
    assert (several["name"], len(texts)) == (alone["name"], len(alone["components"][0]["parameters"]))
    assert not [text for text in texts if "\n" in text or "\t" in text]


@pytest.mark.parametrize(
    ("parameters", "may"),
    [(("name", "clinic", "date", "time"), True), (("date", "time", "code"), False), (("name", "date"), False)],
)
def test_a_whatsapp_template_that_asks_for_a_code_or_names_no_time_is_sent_for_each_visit(
    parameters: Any, may: bool
) -> None:
    assert replace(APPROVED[Kind.CONFIRMATION], parameters=parameters).tells_of_several is may


def test_whoever_words_a_kind_himself_is_sent_one_each_until_he_words_that_too(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "cancelled.sms.txt.j2").write_text("Off: {{ short_date }} {{ time }} {{ clinic }}{{ stop }}")
    own = Templates(tmp_path)

    assert not own.tells_of_several("NORTH", "cancelled")
    assert own.tells_of_several("NORTH", "moved")
    assert [one.serious for one in lint(own, [Kind.MOVED]) if "a message each" in one.what] == [False]

    (tmp_path / "en" / "cancelled-several.sms.txt.j2").write_text("Off: {{ short_date }} {{ times }} {{ clinic }}")
    again = Templates(tmp_path)
    assert again.tells_of_several("NORTH", "cancelled")
    assert again.render("NORTH", "cancelled-several", "sms.txt", words_of(told())).startswith("Off: ")


def test_a_clinics_own_words_count_for_that_clinic(tmp_path: Path) -> None:
    (tmp_path / "clinics" / "SOUTH" / "en").mkdir(parents=True)
    (tmp_path / "clinics" / "SOUTH" / "en" / "moved.subject.txt.j2").write_text("Moved")
    own = Templates(tmp_path)

    assert [own.tells_of_several(clinic, "moved") for clinic in ("NORTH", "SOUTH")] == [True, False]


@pytest.mark.parametrize("kind", ["reminder", "today", "no-show"])
def test_there_are_no_words_for_several_of_what_is_no_news(kind: str) -> None:
    assert not TEMPLATES.tells_of_several("NORTH", kind)
