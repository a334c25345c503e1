"""Under what addresses are kept: keys that nobody makes without the installation's secret."""

import hmac
from hashlib import sha256
from uuid import UUID

import pytest
from pydantic import SecretStr

from chassis.process.errors import Misconfigured
from notifier.address_keys.peppers import peppers_of
from notifier.settings import Settings
from notifier.values.addresses import Peppers
from tests.support.notifier.builders import APPOINTMENT, MOBILE

OLD, NEW = b"the old one", b"the new one"
ONE = Peppers((OLD,))


def test_an_address_has_one_key_however_it_is_written() -> None:
    assert ONE.of("Ada@Example.org ") == ONE.of("ada@example.org")
    assert len(ONE.of(MOBILE).key) == 32


@pytest.mark.parametrize(
    ("stored", "given"),
    [
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@bücher.example", "Ada@XN--BCHER-KVA.Example"),
        ("ada@bücher.example", "ada@bu\u0308cher.example"),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),
        ("ada@mail.müller.example", "ada@mail.xn--mller-kva.example"),
    ],
)
def test_a_domain_in_other_letters_and_its_ascii_name_are_one_address(stored: str, given: str) -> None:
    assert ONE.of(given) == ONE.of(stored) == ONE.of_plain(sha256(stored.encode()).digest())


@pytest.mark.parametrize("address", ["ada@strasse.example", "ada@xn--.example", "ada@☃.example", "ada@xn--a.example"])
def test_no_address_takes_the_key_of_another_or_is_without_one(address: str) -> None:
    assert ONE.of(address) == ONE.of_plain(sha256(address.encode()).digest())
    assert ONE.of(address) != ONE.of("ada@straße.example")


def test_the_key_is_not_the_hash_of_the_number_and_another_secret_has_another_key() -> None:
    plain = sha256(MOBILE.encode()).digest()

    assert ONE.of(MOBILE).key == hmac.digest(OLD, b"address/1\0" + plain, "sha256")
    assert ONE.of(MOBILE).key != plain
    assert ONE.of(MOBILE).key != Peppers((NEW,)).of(MOBILE).key


def test_what_older_versions_kept_gets_its_key_without_the_address() -> None:
    assert ONE.of_plain(sha256(MOBILE.encode()).digest()) == ONE.of(MOBILE)


def test_after_a_rotation_the_new_secret_writes_and_both_are_looked_for() -> None:
    both = Peppers((NEW, OLD)).of(MOBILE)

    assert both.key == Peppers((NEW,)).of(MOBILE).key
    assert ONE.of(MOBILE).key in both.keys


def test_a_reply_code_follows_from_the_secret_and_the_old_ones_hold() -> None:
    (old,), (new,) = ONE.codes(APPOINTMENT, 1), Peppers((NEW,)).codes(APPOINTMENT, 1)

    assert old != new
    assert Peppers((NEW, OLD)).codes(APPOINTMENT, 1) == (new, old)
    assert {len(code) for code in (old, new)} == {4}
    many = {ONE.codes(UUID(int=number), 1)[0] for number in range(300)}
    assert len(many) > 280


def test_a_mark_tells_secrets_apart_and_is_no_key() -> None:
    assert len({*ONE.marks(), *Peppers((NEW,)).marks()}) == 2
    assert not ONE.of(MOBILE).key.startswith(ONE.marks()[0])


@pytest.mark.parametrize("given", ["", " , ", "x" * 31, "x" * 32 + ",short"])
def test_without_a_secret_that_is_long_enough_nothing_starts(given: str) -> None:
    with pytest.raises(Misconfigured, match="NOTIFIER_ADDRESS_PEPPER"):
        peppers_of(Settings.model_construct(address_pepper=SecretStr(given)))
