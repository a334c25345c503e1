"""One-click links in emails (RFC 8058)."""

import pytest

from notifier.domain.opt_outs import Category, address_key
from notifier.domain.unsubscribing import Unsubscribing, read_token, token_of
from schemas.notifications import Kind

ADA = address_key("ada@example.org")


@pytest.mark.parametrize("category", Category)
def test_a_token_says_what_it_stops_to_who_knows_the_secret(category: Category) -> None:
    assert read_token(token_of(ADA, category, "s"), ["other", "s"]) == (ADA, category)


def test_a_token_of_another_secret_or_of_none_says_nothing() -> None:
    assert read_token(token_of(ADA, Category.REMINDERS, "s"), ["other", ""]) is None
    assert read_token(token_of(ADA, Category.REMINDERS, ""), [""]) is None


def test_no_character_of_it_can_be_changed() -> None:
    token = token_of(ADA, Category.REMINDERS, "s")
    for place in range(len(token) - 1):  # of the last one some bits say nothing
        changed = "A" if token[place] != "A" else "B"
        assert read_token(token[:place] + changed + token[place + 1 :], ["s"]) is None


@pytest.mark.parametrize("token", ["", "x", "é" * 66, "!" * 66, "A" * 65, "A" * 67, "A" * 66, "=" * 66])
def test_what_is_no_token_says_nothing(token: str) -> None:
    assert read_token(token, ["s"]) is None


def test_the_link_carries_no_address_and_is_of_the_kinds_category() -> None:
    links = Unsubscribing("https://clinic.example/", "s")

    link = links.link("Ada@example.org", Kind.REMINDER)

    assert link is not None
    base, _, token = link.rpartition("/")
    assert base == "https://clinic.example/callbacks/unsubscribe"
    assert "ada" not in link.lower().replace(token.lower(), "")
    assert read_token(token, ["s"]) == (ADA, Category.REMINDERS)
    assert links.link("ada@example.org", Kind.PROVIDER_BOOKED) is None
