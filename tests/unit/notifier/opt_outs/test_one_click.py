"""One-click links in emails (RFC 8058)."""

import base64
import hmac
from hashlib import sha256

import pytest

from notifier.opt_outs.domain.one_click import Unsubscribing, read_token, token_of
from notifier.values.addresses import Address
from notifier.values.kinds import Category
from schemas.notifications import Kind
from tests.support.notifier.builders import PEPPERS

ADA = PEPPERS.of("ada@example.org")


@pytest.mark.parametrize("category", Category)
def test_a_token_says_what_it_stops_to_who_knows_the_secret(category: Category) -> None:
    assert read_token(token_of(ADA.key, category, "s"), ["other", "s"], PEPPERS) == (Address((ADA.key,)), category)


def test_a_token_of_another_secret_or_of_none_says_nothing() -> None:
    assert read_token(token_of(ADA.key, Category.REMINDERS, "s"), ["other", ""], PEPPERS) is None
    assert read_token(token_of(ADA.key, Category.REMINDERS, ""), [""], PEPPERS) is None


def test_no_character_of_it_can_be_changed() -> None:
    token = token_of(ADA.key, Category.REMINDERS, "s")
    for place in range(len(token) - 1):  # of the last one some bits say nothing
        changed = "A" if token[place] != "A" else "B"
        assert read_token(token[:place] + changed + token[place + 1 :], ["s"], PEPPERS) is None


@pytest.mark.parametrize("token", ["", "x", "é" * 66, "!" * 66, "A" * 65, "A" * 67, "A" * 66, "=" * 66])
def test_what_is_no_token_says_nothing(token: str) -> None:
    assert read_token(token, ["s"], PEPPERS) is None


def test_the_link_carries_no_address_and_is_of_the_kinds_category() -> None:
    links = Unsubscribing("https://clinic.example/", "s", PEPPERS)

    link = links.link("Ada@example.org", Kind.REMINDER)

    assert link is not None
    base, _, token = link.rpartition("/")
    assert base == "https://clinic.example/callbacks/unsubscribe"
    assert "ada" not in link.lower().replace(token.lower(), "")
    assert read_token(token, ["s"], PEPPERS) == (Address((ADA.key,)), Category.REMINDERS)
    assert links.link("ada@example.org", Kind.PROVIDER_BOOKED) is None


def test_a_link_of_an_older_version_holds_and_the_plain_hash_in_it_becomes_the_key() -> None:
    said = b"r" + sha256(b"ada@example.org").digest()
    mark = hmac.digest(b"s", b"unsubscribe/1\0" + said, "sha256")[:16]
    token = base64.urlsafe_b64encode(said + mark).decode().rstrip("=")

    assert read_token(token, ["s"], PEPPERS) == (ADA, Category.REMINDERS)
    assert sha256(b"ada@example.org").digest() not in base64.urlsafe_b64decode(
        token_of(ADA.key, Category.NOTICES, "s") + "=="
    )
