"""How the clinic is reached, in the words of a message: said where it is known, and as before where it is not."""

from itertools import product
from typing import Any

import pytest
from icalendar import Calendar

from notifier.carriers.smtp.mail import Sender, entry_of
from notifier.gate.domain.channels import Route
from notifier.gate.domain.visit import NO_DETAILS, Details
from notifier.template_tools import html_check
from notifier.template_tools.sample import AMERICAN, Sample
from notifier.values.kinds import PATIENT_KINDS
from notifier.wording.domain.sms_segments import segments
from notifier.wording.renderer import PARTS, Part, Templates
from notifier.wording.words import LANGUAGES, words_of
from schemas.notifications import Channel, Kind
from tests.support.notifier.builders import MOBILE, call

TEMPLATES = Templates()
MAP = "https://maps.example.org/?q=1&z=2"
KNOWN = Details("+442079460018", "1 Long Street", MAP, "Bring:\n- your card\n\nBe early.")
PHONE = "+44 20 7946 0018"
COMING = frozenset({Kind.CONFIRMATION, Kind.MOVED, Kind.REMINDER, Kind.TODAY, Kind.CLEARANCE_MISSING})


def render(part: Part, kind: Kind = Kind.CONFIRMATION, details: Details = KNOWN, **visit: Any) -> str:
    one = call(kind, Route(Channel.SMS, MOBILE), clinic_details=details, **visit)
    return TEMPLATES.render("NORTH", kind.value, part, words_of(one))


@pytest.mark.parametrize(("kind", "language"), list(product(PATIENT_KINDS, sorted(LANGUAGES))))
def test_a_mail_says_how_the_clinic_is_reached_and_to_whoever_comes_where_it_is(kind: Kind, language: str) -> None:
    html, text = (render(part, kind, language=language) for part in ("html", "text.txt"))

    for said in (text, html_check.read(html).text):
        assert PHONE in said
        assert ("1 Long Street" in said) is (kind in COMING)
        assert ("- your card" in said) is (kind in COMING)
    assert 'href="tel:+44-20-7946-0018"' in html
    assert (f'href="{MAP.replace("&", "&amp;")}"' in html) is (kind in COMING)
    assert (MAP in text) is (kind in COMING)


@pytest.mark.parametrize(("kind", "language", "part"), list(product(PATIENT_KINDS, sorted(LANGUAGES), PARTS)))
def test_d35_a_sensitive_clinic_says_nothing_of_it(kind: Kind, language: str, part: Part) -> None:
    silent = render(part, kind, NO_DETAILS, clinic_sensitive=True, language=language)

    assert render(part, kind, clinic_sensitive=True, language=language) == silent


@pytest.mark.parametrize(
    ("details", "said"),
    [
        (NO_DETAILS, "\n    North Street Clinic\n\nA calendar entry"),
        (Details(address="1 Long Street"), "\n    North Street Clinic\n    1 Long Street\n\nA calendar entry"),
        (Details(directions_url=MAP), f"\n    North Street Clinic\n    {MAP}\n\nA calendar entry"),
        (Details(preparation="Fast.\n\nRest."), "Clinic\n\nFast.\n\nRest.\n\nA calendar entry"),
        (Details(phone="+442079460018"), "please call us on +44 20 7946 0018.\n"),
        (NO_DETAILS, "please contact us.\n"),
        (Details(phone="none"), "please contact us.\n"),
    ],
)
def test_each_detail_stands_without_the_others(details: Details, said: str) -> None:
    assert said in render("text.txt", details=details)
    assert html_check.read(render("html", details=details)).faults == []


def test_a_link_in_no_language_of_ours_shows_its_address(tmp_path: Any) -> None:
    for part in PARTS:
        (tmp_path / "tr").mkdir(exist_ok=True)
        (tmp_path / "tr" / f"confirmation.{part}.j2").write_text('{% include "_place.html.j2" %}')
    (tmp_path / "tr" / "calendar.summary.txt.j2").write_text("x")
    templates = Templates(tmp_path)
    words = words_of(call(language="tr", clinic_details=KNOWN), templates.languages("NORTH", "confirmation"))

    assert f">{MAP.replace('&', '&amp;')}</a>" in templates.render("NORTH", "confirmation", "html", words)


EVIL = "<script>{{ 7 * 7 }}\u202ex\x00 =?utf-8?q?a?= https://evil.example/"


@pytest.mark.parametrize(("kind", "part"), list(product(PATIENT_KINDS, PARTS)))
def test_details_with_anything_in_them_come_out_harmless(kind: Kind, part: Part) -> None:
    details = Details("+442079460018", EVIL, 'https://x.example/"><script>', f"{EVIL}\r\n{EVIL}\u2028{EVIL}")

    rendered = render(part, kind, details)

    assert "7 * 7" in rendered or kind not in COMING or part in {"subject.txt", "sms.txt"}
    assert not set("\u202e\x00\r\u2028") & set(rendered)
    if part == "html":
        read = html_check.read(rendered)
        assert (read.faults, "script" in read.elements) == ([], False)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://x.example/", "data:text/html,x"])
def test_a_link_that_is_not_https_is_none(url: str) -> None:
    assert words_of(call(clinic_details=Details(directions_url=url))).directions == ""


@pytest.mark.parametrize(
    ("visit", "said"),
    [
        ({}, f"please call {PHONE}."),
        ({"clinic_name": "Northern Street Eye Clinic and Surgery"}, f"please call {PHONE}."),
        ({"clinic_name": "日本 Clinic"}, f"please call {PHONE}."),
        (
            {"clinic_name": "Northern Street Eye Clinic and Surgery", "mobile": AMERICAN},
            "please contact us. Reply STOP",
        ),
    ],
)
def test_an_sms_says_the_phone_where_it_costs_no_segment(visit: dict[str, Any], said: str) -> None:
    assert said in render("sms.txt", Kind.CANCELLED, **visit)


@pytest.mark.parametrize(("kind", "language"), list(product(PATIENT_KINDS, sorted(LANGUAGES))))
def test_an_sms_is_as_long_in_segments_with_a_phone_as_without(kind: Kind, language: str) -> None:
    for mobile, name in product((None, AMERICAN), ("Ada", "Maximiliane Henriette", "नरेंद्र")):
        known, unknown = (
            Sample(kind, language, name=name, mobile=mobile, details=details).call() for details in (None, NO_DETAILS)
        )
        said, silent = (
            TEMPLATES.render("NORTH", kind.value, "sms.txt", words_of(one, {language})) for one in (known, unknown)
        )
        assert segments(said).count == segments(silent).count


@pytest.mark.parametrize(
    ("visit", "place"),
    [
        ({"clinic_details": KNOWN}, "1 Long Street"),
        ({"clinic_details": NO_DETAILS}, "North Street Clinic"),
        ({"clinic_details": KNOWN, "clinic_sensitive": True}, None),
    ],
)
def test_a_calendar_entry_is_at_the_address_else_at_the_clinic(visit: dict[str, Any], place: str | None) -> None:
    one = call(Kind.CONFIRMATION, **visit)
    entry = Calendar.from_ical(entry_of(one, TEMPLATES, words_of(one), Sender("a@attend.example")))

    [event] = entry.walk("VEVENT")
    assert event.get("LOCATION") == place
