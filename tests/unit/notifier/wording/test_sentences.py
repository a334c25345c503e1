"""The sentences of the built-in languages: each language says what all others say, and nothing in them is markup."""

import tomllib
from importlib.resources import files
from typing import Any

import pytest

from notifier.replies.domain.keywords import KEYWORDS
from notifier.replies.domain.who_we_are import INTRODUCTIONS
from notifier.values.kinds import PATIENT_KINDS
from notifier.wording.sentences import Unsubscribe, at_whatsapp, direction, languages, unsubscribing

LANGUAGES = sorted(languages())
OPTIONAL = {"clock", "comma", "at_time"}
"""Phrases that not every language has."""


def said(language: str) -> dict[str, Any]:
    return tomllib.loads((files("notifier.wording") / "languages" / f"{language}.toml").read_text(encoding="utf-8"))


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [text for one in (value.values() if isinstance(value, dict) else value) for text in texts(one)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_says_every_kind_in_as_many_sentences_as_english(language: str) -> None:
    here, english = said(language), said("en")

    assert set(here) - OPTIONAL == set(english)
    for kind in PATIENT_KINDS:
        assert set(here[kind.value]) == set(english[kind.value])
        assert len(here[kind.value]["then"]) == len(english[kind.value]["then"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_markup_so_that_it_may_stand_in_html_as_it_is(language: str) -> None:
    assert not [text for text in texts(said(language)) if set("<>&") & set(text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_is_written_to_in_a_language_can_stop_and_ask_for_help_in_it(language: str) -> None:
    assert KEYWORDS[language].stop
    assert KEYWORDS[language].help
    assert language in INTRODUCTIONS
    assert len(set(unsubscribing()[language])) == len(Unsubscribe._fields)
    assert at_whatsapp()[language][:2] == language


def test_the_direction_of_a_language_is_that_of_its_script() -> None:
    assert {one: direction(one) for one in ("en", "ar", "he", "pt-br")} == {
        "en": "ltr",
        "ar": "rtl",
        "he": "rtl",
        "pt-br": "ltr",
    }
