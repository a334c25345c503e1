"""What a visit still lacks, in words: by the clinic's name for it, else by the language's own."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from notifier.carriers.meta.carrier import MetaAccount, WhatsAppCarrier, WhatsAppTemplate, body_of
from notifier.carriers.port import NoTemplate
from notifier.gate.domain.channels import Route
from notifier.gate.domain.facts import Lack
from notifier.ledger.domain.notification import Call
from notifier.template_tools import html_check
from notifier.wording.renderer import PARTS, Part, Templates
from notifier.wording.sentences import LACKS, titles
from notifier.wording.words import LANGUAGES, words_of
from schemas.notifications import Channel, Kind
from tests.support.notifier.builders import MOBILE, call

TEMPLATES = Templates()
FORM = "https://forms.example.org/c?visit=1&form=2"
CONSENT, PICTURES = Lack("consent", link=FORM), Lack("x-ray", "X-ray pictures", "Ask the hospital for them.")
EVIL = "<script>{{ 7 * 7 }}\u202ex\x00 =?utf-8?q?a?=\r\nhttps://evil.example/"


def about(*lacks: Lack, **visit: Any) -> Call:
    return replace(call(Kind.CLEARANCE_MISSING, Route(Channel.SMS, MOBILE), **visit), lacks=lacks)


def render(part: Part, *lacks: Lack, **visit: Any) -> str:
    return TEMPLATES.render("NORTH", "clearance-missing", part, words_of(about(*lacks, **visit)))


@pytest.mark.parametrize(("language", "kind"), list(product(sorted(LANGUAGES), LACKS)))
def test_each_language_has_a_name_for_what_every_clinic_may_ask_for(language: str, kind: str) -> None:
    said = [render(part, Lack(kind), language=language) for part in ("text.txt", "html", "sms.txt")]

    name = titles(language)[kind]
    assert all(name.replace("\u2019", "'") in one.replace("&#39;", "'") for one in said)
    assert kind not in {titles(each)[kind] for each in LANGUAGES}


def test_what_a_clinic_calls_it_goes_before_and_a_kind_that_nobody_named_goes_by_its_own() -> None:
    assert words_of(about(Lack("consent", "Einwilligung zur Narkose"))).lacking == "Einwilligung zur Narkose"
    assert words_of(about(Lack("x-ray"))).lacking == "x-ray"
    assert words_of(about(Lack("consent"), language="tr", clinic_languages=())).lacking == titles("en")["consent"]


def test_a_mail_lists_each_with_how_to_get_it_and_where() -> None:
    text, html = render("text.txt", CONSENT, PICTURES), render("html", CONSENT, PICTURES)

    assert f"\n- signed consent form\n  {FORM}\n- X-ray pictures: Ask the hospital for them.\n\nPlease send" in text
    assert f'href="{FORM.replace("&", "&amp;")}"' in html
    assert html_check.read(html).faults == []


def test_an_sms_lists_all_and_says_the_page_if_it_is_one() -> None:
    one, two = render("sms.txt", CONSENT), render("sms.txt", CONSENT, replace(PICTURES, link="https://x.example/"))

    assert (
        one
        == f"Ada, your appointment on Wed 3 Mar, 09:00, North Street Clinic still lacks: signed consent form. {FORM}"
    )
    assert "still lacks: signed consent form and X-ray pictures. Questions? Contact us." in two


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("part", PARTS)
def test_d35_a_sensitive_clinic_says_only_that_something_is_missing(language: str, part: Part) -> None:
    said = render(part, CONSENT, PICTURES, language=language, clinic_sensitive=True)

    assert said == render(part, language=language, clinic_sensitive=True)
    assert not any(each in said for each in ("forms.example", "X-ray", titles(language)["consent"]))


@pytest.mark.parametrize("part", PARTS)
def test_whatever_a_clinic_writes_comes_out_harmless(part: Part) -> None:
    said = render(part, Lack("x", EVIL, EVIL, 'https://x.example/"><script>'))

    assert not set("\u202e\x00\r") & set(said)
    assert "49" not in said.replace(MOBILE, "")
    if part == "html":
        read = html_check.read(said)
        assert (read.faults, "script" in read.elements) == ([], False)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://x.example/", "data:text/html,x"])
def test_a_page_that_is_not_https_is_none(url: str) -> None:
    assert words_of(about(Lack("consent", link=url))).link == ""


def test_whatsapp_says_it_by_a_template_that_was_approved_for_it_and_else_leaves_it_to_the_next_channel() -> None:
    template = WhatsAppTemplate("missing", "missing_neutral", {"en": "en_GB"}, ("name", "lacking", "link"))

    [body] = body_of(about(CONSENT), template)["template"]["components"]
    assert [one["text"] for one in body["parameters"]] == ["Ada", "signed consent form", FORM]

    [body] = body_of(about(CONSENT, clinic_sensitive=True), template)["template"]["components"]
    assert [one["text"] for one in body["parameters"]] == ["Ada", "-", "-"]

    with pytest.raises(NoTemplate):
        WhatsAppCarrier(None, lambda _: MetaAccount("1", None)).prepare(about(CONSENT))  # type: ignore[arg-type]
