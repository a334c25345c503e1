"""A number is a line that takes texts, of a country that is known; an address is one that our mails can reach."""

from functools import partial

import pytest

from booking.values import contacts
from booking.values.refusals import Refused


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("07911 123456", "GB", "+447911123456"),
        ("0044 7911 123456", "GB", "+447911123456"),
        ("07700 900123", "GB", "+447700900123"),
        ("(212) 555-0100", "US", "+12125550100"),
        ("0171 1234567", "DE", "+491711234567"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("098765 43210", "IN", "+919876543210"),
        ("(11) 98765-4321", "BR", "+5511987654321"),
        ("55 1234 5678", "MX", "+525512345678"),
    ],
)
def test_d56_a_national_number_is_read_by_its_country(written: str, country: str, number: str) -> None:
    assert contacts.mobile(written, country, "mobile") == number


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+44 (0)7911 123456", "+447911123456"),
        ("tel:+49-171-1234567", "+491711234567"),
        ("\uff0b33612345678", "+33612345678"),
        ("+1 500 555 0006", "+15005550006"),  # a carrier's own number for trials
        ("+44 7700 955555", "+447700955555"),  # in no list of ranges: newer than the list, it may be
        ("+44 7640 123456", None),
    ],
)
@pytest.mark.parametrize("country", ["GB", None])
def test_d56_an_international_number_says_its_country_itself(
    written: str, number: str | None, country: str | None
) -> None:
    if number is None:
        with pytest.raises(Refused, match="NOT_A_MOBILE"):
            contacts.mobile(written, country, "mobile")
    else:
        assert contacts.mobile(written, country, "mobile") == number


@pytest.mark.parametrize("written", ["07911 123456", "447911123456", "00447911123456", "(212) 555-0100"])
def test_d56_no_country_is_guessed(written: str) -> None:
    with pytest.raises(Refused) as refused:
        contacts.mobile(written, None, "mobile")
    assert (refused.value.code, refused.value.place) == ("NO_COUNTRY", "mobile")


@pytest.mark.parametrize(
    ("written", "country"),
    [
        ("0171 1234567", "GB"),  # right in length, of no range: a German mobile
        ("06 12 34 56 78", "GB"),
        ("555-0100", "US"),
        ("911", "US"),
        ("9911 123456", "GB"),
        ("(11) 0765-4321", "BR"),
        ("07911 123456 / 07911 123457", "GB"),
        ("+44 7911 12345678", "GB"),
    ],
)
def test_d56_length_and_prefix_are_checked(written: str, country: str) -> None:
    with pytest.raises(Refused, match="BAD_PHONE"):
        contacts.mobile(written, country, "mobile")


@pytest.mark.parametrize(
    ("written", "country"),
    [
        ("020 7946 0018", "GB"),
        ("030 123456", "DE"),
        ("01 23 45 67 89", "FR"),
        ("080 2234 5678", "IN"),
        ("(11) 3456-7890", "BR"),
        ("0800 123 4567", "GB"),
        ("0909 879 0123", "GB"),
        ("+1 800 555 1234", None),
    ],
)
def test_a_landline_and_a_service_number_take_no_text(written: str, country: str | None) -> None:
    with pytest.raises(Refused, match="NOT_A_MOBILE"):
        contacts.mobile(written, country, "mobile")


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("+52 1 55 1234 5678", None, "+525512345678"),
        ("044 55 1234 5678", "MX", "+525512345678"),
        ("+55 11 8765-4321", None, "+5511987654321"),
        ("(11) 8765-4321", "BR", "+5511987654321"),
        ("+54 9 11 2345 6789", None, "+5491123456789"),
    ],
)
def test_d56_a_number_is_kept_as_its_country_dials_it_now(written: str, country: str | None, number: str) -> None:
    assert contacts.mobile(written, country, "mobile") == number


def test_a_mailbox_that_no_carrier_of_ours_reaches_is_said_at_the_door() -> None:
    for mailbox in ("jos\u00e9", "jose\u0301", "\u7530\u4e2d"):
        with pytest.raises(Refused, match="UNREACHABLE_EMAIL"):
            contacts.email(f"{mailbox}@example.org", "email")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("ann@stra\u00dfe.example", "ann@stra\u00dfe.example"),
        ("ann@strasse.example", "ann@strasse.example"),
        ("ann@xn--strae-oqa.example", "ann@stra\u00dfe.example"),
        ("ann@B\u00dcCHER.example", "ann@b\u00fccher.example"),
    ],
)
def test_d56_a_domain_is_read_by_idna_2008(written: str, kept: str) -> None:
    assert contacts.email(written, "email") == kept


@pytest.mark.parametrize("place", ["patient.phone", "patient.contact.phone"])
def test_what_was_read_before_is_refused_at_its_own_place(place: str) -> None:
    for read in (partial(contacts.mobile, "+442070313000", None), partial(contacts.email, "nobody")):
        with pytest.raises(Refused) as refused:
            read(place)
        assert refused.value.place == place


def test_what_was_read_before_is_read_by_its_own_country() -> None:
    assert contacts.phone("0171 1234567", "DE", "x") == "+491711234567"
    for country in (None, "US"):
        with pytest.raises(Refused):
            contacts.phone("0171 1234567", country, "x")
