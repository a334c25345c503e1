"""All templates of all languages rendered and linted; names of every kind come out harmless."""

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import jinja2
import pytest

from notifier.adapters.templates import LANGUAGES, Templates, words_of
from notifier.domain.channels import Route
from notifier.domain.ledger import Call
from schemas.notifications import Channel, Kind
from tests.unit.notifier.builders import MOBILE, call

KINDS = (Kind.CONFIRMATION, Kind.REMINDER)
PARTS = ("subject.txt", "text.txt", "html", "sms.txt")
TEMPLATES = Templates()
BY_SMS = Route(Channel.SMS, MOBILE)
LONGEST_SMS = 2 * 67
"""Two segments of UCS-2, with short names."""


class Reader(HTMLParser):
    """Reads text, and checks that every element is closed."""

    VOID = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.text, self.open, self.elements = "", list[str](), set[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def render(one: Call, part: str, templates: Templates = TEMPLATES) -> str:
    return templates.render(one.visit.clinic_id, one.kind.value, part, words_of(one))


@pytest.mark.parametrize(
    ("kind", "part", "language", "sensitive", "named"),
    list(product(KINDS, PARTS, sorted(LANGUAGES), (True, False), (True, False))),
)
def test_d35_every_template_renders_in_every_language_and_says_the_least(
    kind: Kind, part: str, language: str, sensitive: bool, named: bool
) -> None:
    one = call(kind, BY_SMS, language=language, clinic_sensitive=sensitive, given_name="Ada" if named else None)
    words = words_of(one)

    rendered = render(one, part)

    text = read(rendered).text if part == "html" else rendered
    assert not set("{}<>") & set(text)
    assert "None" not in text
    assert "Abara" not in text
    assert "Physiotherapy" not in text
    assert ("North Street Clinic" in text) is (not sensitive) or (part == "html" and sensitive)
    if part != "subject.txt":
        assert words.date in text
        assert words.time in text
        assert ("Ada" in text) is named
    else:
        assert "\n" not in text
        assert 10 <= len(text) <= 100
    if part == "sms.txt":
        assert "\n" not in text
        assert len(text) <= LONGEST_SMS + len(words.clinic) + len(words.zone)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_dates_and_times_are_the_clinics_own_in_the_patients_language(language: str) -> None:
    words = words_of(
        call(language=language, zone="America/New_York", starts_at=datetime(2027, 3, 14, 14, 0, tzinfo=UTC))
    )

    expected = {
        "en": ("Sunday, March 14, 2027", "10:00 AM"),
        "de": ("Sonntag, 14. März 2027", "10:00"),
        "nl": ("zondag 14 maart 2027", "10:00"),
    }
    assert (words.date, words.time) == expected[language]


@pytest.mark.parametrize(
    ("wanted", "clinic", "expected"),
    [
        ("de-AT", ("en",), "de"),
        ("DE_ch", ("en",), "de"),
        ("tr", ("nl", "de"), "nl"),
        ("", ("xx", "de"), "de"),
        ("tr", (), "en"),
        ("../en", ("en",), "en"),
    ],
)
def test_d35_a_language_without_templates_falls_back(
    wanted: str | None, clinic: tuple[str, ...], expected: str
) -> None:
    assert words_of(call(language=wanted, clinic_languages=clinic)).language == expected


@pytest.mark.parametrize(
    ("mobile", "zone", "shown"),
    [
        ("+442071838750", "Europe/London", False),
        ("+4930123456", "Europe/London", True),
        ("+4930123456", "Europe/Paris", False),
        (None, "Europe/London", True),
        ("+800123456789", "Europe/London", True),
    ],
)
def test_d35_the_zone_is_named_when_the_time_could_be_read_wrongly(mobile: str | None, zone: str, shown: bool) -> None:
    assert bool(words_of(call(mobile=mobile, zone=zone)).zone) is shown


EVIL = {
    "template syntax": "{{ 7 * 7 }}{% for x in (1).__class__.__mro__ %}{{ x }}{% endfor %}",
    "html": "<script>alert(1)</script><img src=x onerror=y>",
    "bidi": "\u202eadA\u202c\u2066x\u2069",
    "control": "Ada\r\nBcc: x@example.org\x00\x1b[31m",
    "encoded word": "=?utf-8?q?hi=0ABcc:x@example.org?=",
    "link": "https://evil.example/x Ada",
    "long": "A" * 10_000,
}


@pytest.mark.parametrize(("name", "kind", "part"), list(product(EVIL, KINDS, PARTS)))
def test_names_with_anything_in_them_come_out_harmless(name: str, kind: Kind, part: str) -> None:
    one = call(kind, BY_SMS, given_name=EVIL[name], clinic_name=EVIL[name])

    rendered = render(one, part)

    if part == "html":
        reader = read(rendered)
        assert reader.elements <= {"html", "head", "meta", "title", "body", "div", "p", "strong", "br", "span"}
        assert reader.elements.isdisjoint({"script", "img"})
    assert "49" not in rendered.replace("2049", "")
    assert not any(character in rendered for character in "\u202e\u202c\u2066\u2069\x00\x1b\r")
    assert len(rendered) < 3_000
    assert "://" not in words_of(one).name


@pytest.mark.parametrize("name", ["Ada", "José María", "O\u2019Neill", "Anna M.", "李雷", "محمد", "नरेंद्र", "Zoë"])
def test_real_names_stay_as_they_are(name: str) -> None:
    assert words_of(call(given_name=name)).name == name


def test_the_plain_text_of_a_confirmation_as_a_whole() -> None:
    expected = """Hello Ada,

Your appointment at North Street Clinic is booked:

    Wednesday, March 3, 2027
    9:00 AM (Greenwich Mean Time)
    North Street Clinic

A calendar entry is attached.

To change or cancel it, please contact us.

We look forward to seeing you."""

    assert render(call(mobile=None), "text.txt") == expected


def test_the_plain_text_of_a_reminder_of_a_sensitive_clinic_to_a_nameless_patient_as_a_whole() -> None:
    expected = """Guten Tag,

Wir erinnern Sie an Ihren Termin:

    Mittwoch, 3. M\u00e4rz 2027
    09:00

Wenn Sie nicht kommen k\u00f6nnen, geben Sie uns bitte Bescheid.

Wir freuen uns auf Sie."""
    one = call(Kind.REMINDER, clinic_sensitive=True, given_name=None, language="de")

    assert render(one, "text.txt") == expected


def test_a_clinics_own_templates_go_before_the_general_ones(tmp_path: Path) -> None:
    own = tmp_path / "clinics" / "NORTH" / "en"
    own.mkdir(parents=True)
    (own / "reminder.sms.txt.j2").write_text("{{ name }}: {{ time }}")
    templates = Templates(tmp_path)

    assert render(call(Kind.REMINDER), "sms.txt", templates) == "Ada: 9:00 AM"
    assert "North Street Clinic" in render(call(Kind.REMINDER), "text.txt", templates)
    assert "North Street Clinic" in render(call(Kind.REMINDER, clinic_id="SOUTH"), "sms.txt", templates)


def test_a_template_that_uses_what_there_is_not_or_breaks_out_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "en"
    folder.mkdir()
    for part, source in (("sms.txt", "{{ surname }}"), ("text.txt", "{{ name.__class__.__mro__ }}")):
        (folder / f"reminder.{part}.j2").write_text(source)
        with pytest.raises(jinja2.TemplateError):
            render(call(Kind.REMINDER), part, Templates(tmp_path))


def test_what_reaches_a_template_is_not_the_patient_but_a_few_words() -> None:
    words = words_of(call())

    assert replace(words) == words
    assert not hasattr(words, "family_name")
