"""All templates of all languages rendered and linted; names of every kind come out harmless."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import jinja2
import pytest

from chassis.process.errors import Misconfigured
from notifier.gate.domain.channels import Route
from notifier.ledger.domain.notification import Call
from notifier.template_tools import html_check
from notifier.template_tools.lint import SEGMENTS
from notifier.template_tools.sample import AMERICAN, Sample
from notifier.values.kinds import PATIENT_KINDS
from notifier.wording.domain.language import Day, day_of
from notifier.wording.domain.sms_segments import segments
from notifier.wording.renderer import PARTS, Part, Templates
from notifier.wording.words import LANGUAGES, words_of
from schemas.notifications import Channel, Kind
from tests.support.notifier.builders import MOBILE, call

KINDS = PATIENT_KINDS
TEMPLATES = Templates()
BY_SMS = Route(Channel.SMS, MOBILE)
BOUND = {language: ("UCS-2", count) for language, count in SEGMENTS.items()}
"""What an SMS takes in a language that the GSM alphabet cannot write."""


def render(one: Call, part: Part, templates: Templates = TEMPLATES) -> str:
    return templates.render(one.visit.clinic_id, one.kind.value, part, words_of(one))


@pytest.mark.parametrize(
    ("kind", "part", "language", "sensitive", "named"),
    list(product(KINDS, PARTS, sorted(LANGUAGES), (True, False), (True, False))),
)
def test_d35_every_template_renders_in_every_language_and_says_the_least(
    kind: Kind, part: Part, language: str, sensitive: bool, named: bool
) -> None:
    one = call(kind, BY_SMS, language=language, clinic_sensitive=sensitive, given_name="Ada" if named else None)
    words = words_of(one)

    rendered = render(one, part)

    text = html_check.read(rendered).text if part == "html" else rendered
    assert not set("{}<>") & set(text)
    assert "None" not in text
    assert "Abara" not in text
    assert "Physiotherapy" not in text
    if sensitive:
        assert "North Street Clinic" not in rendered
    if part == "subject.txt":
        assert "\n" not in text
        assert 10 <= len(text) <= 70
        assert "Ada" not in text
        return
    assert (words.date in text) is (part != "sms.txt")
    if part == "sms.txt" and kind is not Kind.TODAY:
        assert words.short_date in text
    assert words.time in text
    assert ("Ada" in text) is named
    assert ("North Street Clinic" in text) is not sensitive


@pytest.mark.parametrize(("kind", "language"), list(product(KINDS, sorted(LANGUAGES))))
def test_an_sms_of_the_built_in_words_fits_one_segment_or_two_of_other_letters_even_with_a_zone_and_the_hint_at_stop(
    kind: Kind, language: str
) -> None:
    text = render(Sample(kind, language, mobile=AMERICAN, lacks=()).call(Channel.SMS), "sms.txt")

    assert "\n" not in text
    assert (segments(text).alphabet, segments(text).count) == BOUND.get(language, ("GSM-7", 1))


@pytest.mark.parametrize(
    ("days", "sms", "subject"),
    [
        (0, "a reminder: your appointment is today at 11:30", "Reminder: your appointment is today at 11:30"),
        (1, "is tomorrow, Tue 2 Mar, at 11:30", "Reminder: your appointment is tomorrow at 11:30"),
        (2, "a reminder of your appointment on Wed 3 Mar at 11:30", "Reminder: your appointment on Wed 3 Mar"),
    ],
)
def test_r23_a_reminder_says_today_or_tomorrow_or_the_date(days: int, sms: str, subject: str) -> None:
    one = Sample(Kind.REMINDER, days=days).call()

    assert sms in render(one, "sms.txt")
    assert render(one, "subject.txt") == subject


@pytest.mark.parametrize(
    ("starts_at", "now", "zone", "expected"),
    [
        ("2027-03-01T00:30", "2027-02-28T23:45", "Europe/London", Day.TOMORROW),
        ("2027-03-01T23:45", "2027-03-01T00:15", "Europe/London", Day.TODAY),
        ("2027-03-02T03:00", "2027-03-01T23:00", "America/New_York", Day.TODAY),
        ("2027-03-02T14:00", "2027-03-01T04:30", "America/New_York", Day.OTHER),
        ("2027-03-28T12:00", "2027-03-27T12:30", "Europe/Berlin", Day.TOMORROW),
        ("2027-02-28T12:00", "2027-03-01T12:00", "Europe/Berlin", Day.OTHER),
    ],
)
def test_near_days_are_counted_by_the_clinics_calendar_not_by_hours(
    starts_at: str, now: str, zone: str, expected: Day
) -> None:
    start, said = (datetime.fromisoformat(f"{each}+00:00") for each in (starts_at, now))

    assert day_of(start, said, zone) is expected


def test_a_date_of_another_year_says_its_year_in_an_sms_too() -> None:
    assert words_of(call(starts_at=datetime(2028, 1, 3, 9, tzinfo=UTC))).short_date == "Mon, 3 Jan 2028"


@pytest.mark.parametrize(
    ("mobile", "countries", "hinted"),
    [
        ("+12125550123", {"US"}, True),
        ("+442071838750", {"US"}, False),
        ("+442071838750", {"GB"}, True),
        (None, {"US"}, False),
    ],
)
def test_an_sms_says_how_to_opt_out_where_the_numbers_country_asks_for_it(
    mobile: str | None, countries: set[str], hinted: bool
) -> None:
    words = words_of(call(mobile=mobile), stop_countries=countries)

    assert ("STOP" in TEMPLATES.render("NORTH", "reminder", "sms.txt", words)) is hinted


@pytest.mark.parametrize("kind", [Kind.CONFIRMATION, Kind.MOVED, Kind.REMINDER, Kind.TODAY])
def test_b11_an_sms_asks_for_an_answer_only_where_answers_are_read(kind: Kind) -> None:
    one = replace(call(kind, BY_SMS), code="4711")

    asked = TEMPLATES.render("NORTH", kind.value, "sms.txt", words_of(one))
    silent = TEMPLATES.render("NORTH", kind.value, "sms.txt", words_of(one, answers=False))

    assert "Reply C 4711 to confirm, X 4711 to cancel." in asked
    assert "4711" not in silent


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_dates_and_times_are_the_clinics_own_in_the_patients_language(language: str) -> None:
    words = words_of(
        call(language=language, zone="America/New_York", starts_at=datetime(2027, 3, 14, 14, 0, tzinfo=UTC))
    )

    expected = {
        "en": ("Sunday, March 14, 2027", "10:00 AM"),
        "de": ("Sonntag, 14. März 2027", "10:00"),
        "nl": ("zondag 14 maart 2027", "10:00"),
        "fr": ("dimanche 14 mars 2027", "10:00"),
        "es": ("domingo, 14 de marzo de 2027", "10:00 a.m."),
        "pt": ("domingo, 14 de março de 2027", "10:00"),
        "it": ("domenica 14 marzo 2027", "10:00"),
        "pl": ("niedziela, 14 marca 2027", "10:00"),
        "ar": ("الأحد، 14 مارس 2027", "10:00 ص"),
        "sw": ("Jumapili, 14 Machi 2027", "10:00"),
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
        ("+493012345678", "Europe/London", True),
        ("+12125550123", "America/New_York", False),
        ("+13105550123", "America/New_York", True),
        ("+447911123456", "Europe/London", False),
        (None, "Europe/London", False),
        (None, "America/New_York", False),
        ("+800123456789", "Europe/London", False),
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
def test_names_with_anything_in_them_come_out_harmless(name: str, kind: Kind, part: Part) -> None:
    one = call(kind, BY_SMS, given_name=EVIL[name], clinic_name=EVIL[name])

    rendered = render(one, part)

    if part == "html":
        read = html_check.read(rendered)
        assert read.faults == []
        assert read.elements == html_check.read(render(call(kind, BY_SMS), part)).elements
    assert "49" not in rendered
    assert not any(character in rendered for character in "\u202e\u202c\u2066\u2069\x00\x1b\r")
    assert len(rendered) < 5_000
    assert "://" not in words_of(one).name


@pytest.mark.parametrize("name", ["Ada", "José María", "O\u2019Neill", "Anna M.", "李雷", "محمد", "नरेंद्र", "Zoë"])
def test_real_names_stay_as_they_are(name: str) -> None:
    assert words_of(call(given_name=name)).name == name


def test_the_plain_text_of_a_confirmation_as_a_whole() -> None:
    expected = """Hello Ada,

Your appointment at North Street Clinic is booked:

    Wednesday, 3 March 2027
    09:00
    North Street Clinic

A calendar entry is attached.

To change or cancel your appointment, please contact us.

We look forward to seeing you."""

    assert render(call(mobile=None), "text.txt") == expected


def test_the_plain_text_of_a_reminder_of_a_sensitive_clinic_to_a_nameless_patient_as_a_whole() -> None:
    expected = """Guten Tag,

wir erinnern Sie an Ihren Termin:

    Mittwoch, 3. M\u00e4rz 2027
    09:00 Uhr

Wenn Sie nicht kommen k\u00f6nnen, geben Sie uns bitte Bescheid.

Wir freuen uns auf Sie."""
    one = call(Kind.REMINDER, clinic_sensitive=True, given_name=None, language="de")

    assert render(one, "text.txt") == expected


def test_a_clinics_own_templates_go_before_the_general_ones(tmp_path: Path) -> None:
    own = tmp_path / "clinics" / "NORTH" / "en"
    own.mkdir(parents=True)
    (own / "reminder.sms.txt.j2").write_text("{{ name }}: {{ time }}")
    templates = Templates(tmp_path)

    assert render(call(Kind.REMINDER), "sms.txt", templates) == "Ada: 09:00"
    assert "North Street Clinic" in render(call(Kind.REMINDER), "text.txt", templates)
    assert "North Street Clinic" in render(call(Kind.REMINDER, clinic_id="SOUTH"), "sms.txt", templates)


def test_a_template_that_uses_what_there_is_not_or_breaks_out_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "en"
    folder.mkdir()
    sources: tuple[tuple[Part, str], ...] = (
        ("sms.txt", "{{ surname }}"),
        ("text.txt", "{{ name.__class__.__mro__ }}"),
    )
    for part, source in sources:
        (folder / f"reminder.{part}.j2").write_text(source)
        with pytest.raises(jinja2.TemplateError):
            render(call(Kind.REMINDER), part, Templates(tmp_path))


@pytest.mark.parametrize(
    ("wanted", "clinic", "expected"),
    [
        ("en", ("en-GB",), ("Wednesday, 3 March 2027", "Wed 3 Mar", "09:00")),
        ("en-US", ("en-GB",), ("Wednesday, March 3, 2027", "Wed, Mar 3", "9:00 AM")),
        ("de-AT", ("en-GB",), ("Mittwoch, 3. März 2027", "Mi., 3. März", "09:00")),
        ("tr", ("en_gb",), ("Wednesday, 3 March 2027", "Wed 3 Mar", "09:00")),
        ("en-XX", (), ("Wednesday, 3 March 2027", "Wed 3 Mar", "09:00")),
    ],
)
def test_dates_and_times_follow_the_customs_of_the_region(
    wanted: str, clinic: tuple[str, ...], expected: tuple[str, str, str]
) -> None:
    words = words_of(call(language=wanted, clinic_languages=clinic))

    assert (words.date, words.short_date, words.time) == expected


@pytest.mark.parametrize(
    ("zone", "languages", "expected"),
    [
        ("Europe/London", ("en",), ("Wednesday, 3 March 2027", "Wed 3 Mar", "09:00")),
        ("GB", ("en",), ("Wednesday, 3 March 2027", "Wed 3 Mar", "09:00")),
        ("America/New_York", ("en",), ("Wednesday, March 3, 2027", "Wed, Mar 3", "4:00 AM")),
        ("America/Toronto", ("en",), ("Wednesday, March 3, 2027", "Wed, Mar 3", "4:00 a.m.")),
        ("Australia/Sydney", ("en",), ("Wednesday, 3 March 2027", "Wed, 3 Mar", "8:00 pm")),
        ("Asia/Calcutta", ("en",), ("Wednesday, 3 March 2027", "Wed, 3 Mar", "2:30 pm")),
        ("Europe/Berlin", ("en",), ("Wednesday, 3 March 2027", "Wed, 3 Mar", "10:00")),
        ("Europe/Brussels", ("nl",), ("woensdag 3 maart 2027", "wo 3 mrt", "10:00")),
        ("Europe/Vienna", ("de",), ("Mittwoch, 3. März 2027", "Mi., 3. März", "10:00")),
        ("Europe/London", ("en-US",), ("Wednesday, March 3, 2027", "Wed, Mar 3", "9:00 AM")),
        ("UTC", ("en-GB",), ("Wednesday, 3 March 2027", "Wed 3 Mar", "09:00")),
        ("UTC", ("en",), ("Wednesday, March 3, 2027", "Wed, Mar 3", "9:00 AM")),
        ("Asia/Tokyo", ("en",), ("Wednesday, 3 March 2027", "Wed, 3 Mar", "6:00 pm")),
        ("Europe/London", ("de",), ("Mittwoch, 3. März 2027", "Mi., 3. März", "09:00")),
    ],
)
def test_without_a_region_dates_and_times_follow_the_country_of_the_clinics_zone(
    zone: str, languages: tuple[str, ...], expected: tuple[str, str, str]
) -> None:
    words = words_of(call(zone=zone, language=languages[0].partition("-")[0], clinic_languages=languages))

    assert (words.date, words.short_date, words.time) == expected


@pytest.mark.parametrize(
    ("country", "zone", "wanted", "clinic", "expected"),
    [
        ("GB", "Europe/London", "en", ("en",), ("Wednesday, 3 March 2027", "Wed 3 Mar", "09:00")),
        ("GB", "UTC", "en", ("en",), ("Wednesday, 3 March 2027", "Wed 3 Mar", "09:00")),
        ("GB", "Europe/London", "en-US", ("en",), ("Wednesday, 3 March 2027", "Wed 3 Mar", "09:00")),
        ("US", "UTC", "en-GB", ("en",), ("Wednesday, March 3, 2027", "Wed, Mar 3", "9:00 AM")),
        ("US", "America/New_York", "en", ("en-GB",), ("Wednesday, March 3, 2027", "Wed, Mar 3", "4:00 AM")),
        ("IE", "Europe/Dublin", "en", ("en",), ("Wednesday 3 March 2027", "Wed, 3 Mar", "09:00")),
        ("DE", "Europe/Berlin", "de-AT", ("de",), ("Mittwoch, 3. März 2027", "Mi., 3. März", "10:00")),
        ("CH", "Europe/Zurich", "de-DE", ("de",), ("Mittwoch, 3. März 2027", "Mi., 3. März", "10:00")),
        ("GB", "Europe/London", "de", ("en",), ("Mittwoch, 3. März 2027", "Mi., 3. März", "09:00")),
        ("GB", "Europe/London", "nl-BE", ("en",), ("woensdag 3 maart 2027", "wo 3 mrt", "09:00")),
        (None, "Europe/London", "en-US", ("en",), ("Wednesday, March 3, 2027", "Wed, Mar 3", "9:00 AM")),
        ("ZZ", "Europe/London", "en", ("en",), ("Wednesday, 3 March 2027", "Wed 3 Mar", "09:00")),
        ("EG", "Africa/Cairo", "en", ("ar",), ("Wednesday, 3 March 2027", "Wed, 3 Mar", "11:00 am")),
        ("BR", "America/Sao_Paulo", "en", ("pt",), ("Wednesday, 3 March 2027", "Wed, 3 Mar", "6:00 am")),
        ("SA", "Asia/Riyadh", "en", ("en",), ("Wednesday, 3 March 2027", "Wed, 3 Mar", "12:00 pm")),
        ("CN", "UTC", "en", ("en",), ("Wednesday, 3 March 2027", "Wed, 3 Mar", "9:00 am")),
        ("TR", "Europe/Istanbul", "en-US", ("tr",), ("Wednesday, March 3, 2027", "Wed, Mar 3", "12:00 PM")),
        ("PR", "America/Puerto_Rico", "en", ("es",), ("Wednesday, March 3, 2027", "Wed, Mar 3", "5:00 AM")),
    ],
)
def test_dates_and_times_are_written_as_the_clinics_country_writes_the_language_of_the_message(
    country: str | None, zone: str, wanted: str, clinic: tuple[str, ...], expected: tuple[str, str, str]
) -> None:
    words = words_of(call(clinic_country=country, zone=zone, language=wanted, clinic_languages=clinic))

    assert (words.date, words.short_date, words.time) == expected


@pytest.mark.parametrize(
    ("zone", "wanted", "expected"),
    [
        ("Europe/Podgorica", "sr", "среда, 3. март 2027."),
        ("Europe/Podgorica", "sr-ME", "srijeda, 3. mart 2027."),
        ("America/Sao_Paulo", "pt", "quarta-feira, 3 de março de 2027"),
    ],
)
def test_a_country_that_writes_another_script_changes_no_words(zone: str, wanted: str, expected: str) -> None:
    language = wanted.partition("-")[0]

    assert words_of(call(zone=zone, language=wanted), {language}).date == expected


@pytest.mark.parametrize(
    ("content", "place"),
    [(b"{{ name }}\n{% if %}", "today.sms.txt.j2:2: Expected"), (b"\xff", "j2: UnicodeDecodeError")],
)
def test_templates_that_cannot_be_read_end_the_start_with_their_place(
    content: bytes, place: str, tmp_path: Path
) -> None:
    own = tmp_path / "clinics" / "NORTH" / "en"
    own.mkdir(parents=True)
    Templates(tmp_path).check()
    (own / "today.sms.txt.j2").write_bytes(content)

    with pytest.raises(Misconfigured, match=re.escape(place)):
        Templates(tmp_path).check()


def test_a_folder_of_templates_that_is_not_there_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no folder of templates"):
        Templates(tmp_path / "nowhere").check()


def test_what_reaches_a_template_is_not_the_patient_but_a_few_words() -> None:
    words = words_of(call())

    assert replace(words) == words
    assert not hasattr(words, "family_name")


@pytest.mark.parametrize(("kind", "part"), list(product(KINDS, ("text.txt", "html"))))
def test_german_goes_on_in_lower_case_after_the_greetings_comma_unless_it_is_a_noun_or_a_formal_you(
    kind: Kind, part: Part
) -> None:
    said = render(Sample(kind, "de").call(), part)
    seen = html_check.read(said).text if part == "html" else said

    first = seen.split("Guten Tag Ada,", 1)[1].split()[0]

    assert first == "Ihr" or first[0].islower()


@pytest.mark.parametrize(("language", "shown"), [("de", "12:30 Uhr"), ("nl", "12:30 uur"), ("en", "11:30")])
@pytest.mark.parametrize(("kind", "part"), list(product(KINDS, ("text.txt", "html"))))
def test_a_mail_says_the_clocks_word_where_the_language_has_one(
    kind: Kind, part: Part, language: str, shown: str
) -> None:
    said = render(Sample(kind, language).call(), part)
    seen = html_check.read(said).text if part == "html" else said

    assert shown in {line.strip() for line in seen.splitlines()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("language", "greeting"), [("it", "Gentile Ada,"), ("pl", "Dzień dobry, Ada,"), ("fr", "Bonjour Ada,")]
)
def test_what_follows_the_greeting_begins_as_the_language_has_it(language: str, greeting: str, kind: Kind) -> None:
    said = render(Sample(kind, language).call(), "text.txt")

    first = said.split(greeting, 1)[1].split()[0]

    formal = first in {"Le", "Pani/Pana"}
    assert first[0].isupper() is (language == "fr" or formal)


@pytest.mark.parametrize("kind", KINDS)
def test_arabic_is_written_from_right_to_left_and_keeps_names_of_other_scripts_apart(kind: Kind) -> None:
    one = Sample(kind, "ar", clinic_name="St. Mary's (North)").call()
    html, text, sms = render(one, "html"), render(one, "text.txt"), render(one, "sms.txt")

    assert '<html lang="ar" dir="rtl">' in html
    assert "<bdi>Ada</bdi>" in html
    assert "<bdi>St. Mary&#39;s (North)</bdi>" in html
    assert "\u2068Ada\u2069" in text
    assert {"\u2068Ada\u2069", "\u2068St. Mary's (North)\u2069"} <= set(re.findall("\u2068.*?\u2069", sms))
    assert html_check.read(html).faults == []


@pytest.mark.parametrize(("hour", "said"), [(15, "a las 10:00 a.m."), (18, "a la 1:00 p.m.")])
def test_spanish_says_one_oclock_in_the_singular(hour: int, said: str) -> None:
    one = call(
        Kind.TODAY,
        language="es",
        clinic_country="US",
        zone="America/New_York",
        starts_at=datetime(2027, 3, 1, hour, tzinfo=UTC),
    )

    assert said in render(one, "subject.txt")
