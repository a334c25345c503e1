"""Names, contacts and main-file numbers."""

import unicodedata
from datetime import UTC, datetime

import pytest

from booking.patients.domain import main_files
from booking.values import contacts, texts
from booking.values.refusals import Refused


@pytest.mark.parametrize(
    "name", ["Ann", "O'Connor", "Müller", "{{ 7*7 }}", "{% for x in y %}", "<b>Ann</b>", "علي", "ｱﾝ", "می‌خواهم", "a=b"]
)
def test_a_name_is_plain_text_template_syntax_and_html_too(name: str) -> None:
    assert texts.name(name, "name") == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Ann\r\nBcc: x@example.org", "CONTROL_CHARACTER"),
        ("Ann\u2028", "CONTROL_CHARACTER"),
        ("Ann\x1b[31m", "CONTROL_CHARACTER"),
        ("\u202eAnn", "BIDI_CHARACTER"),
        ("=?utf-8?q?hi=0ABcc:x@example.org?=", "HEADER_INJECTION"),
        ("A" * 201, "FIELD_TOO_LONG"),
        ("   ", "EMPTY_TEXT"),
    ],
)
def test_what_could_break_out_of_a_header_or_turn_a_line_is_refused(name: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        texts.name(name, "given_name")
    assert (caught.value.code, caught.value.place) == (code, "given_name")


@pytest.mark.parametrize("unseen", ["\u200b", "\xad", "\ufeff", "\u2060", "\u200e", "\u200f", "\u061c", "\u180e"])
def test_what_nobody_sees_is_taken_out_of_a_name_and_kept_out_of_an_id(unseen: str) -> None:
    assert texts.name(f"{unseen}An{unseen}n ", "name") == "Ann"
    with pytest.raises(Refused, match="CONTROL_CHARACTER"):
        texts.identifier(f"p{unseen}1", "id")


@pytest.mark.parametrize("nothing", ["\u200b", "\u200d", "\ufeff \u00ad", "\u200c\u200c"])
def test_a_name_of_which_nothing_is_seen_is_none(nothing: str) -> None:
    with pytest.raises(Refused, match="EMPTY_TEXT"):
        texts.name(nothing, "name")


def test_what_nobody_sees_hides_no_encoded_word() -> None:
    with pytest.raises(Refused, match="HEADER_INJECTION"):
        texts.name("=\u200b?utf-8?q?hi?=", "name")


def test_an_id_stands_as_it_is() -> None:
    assert texts.identifier("https://fhir.nhs.uk/Id/nhs-number|9476719931", "id").endswith("9931")
    with pytest.raises(Refused, match="PADDED_ID"):
        texts.identifier(" a", "id")


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("07736 312544", "GB", "+447736312544"),
        ("+44 7700 900123", "US", "+447700900123"),
        ("(212) 555-0100", "US", "+12125550100"),
    ],
)
def test_a_phone_number_is_read_by_its_country(written: str, country: str, number: str) -> None:
    assert contacts.mobile(written, country, "mobile") == number


@pytest.mark.parametrize("written", ["none", "12", "07736 312544 ext 5", "+999 1234", "", "07736312544\n99999999"])
def test_what_is_no_phone_number_is_refused(written: str) -> None:
    with pytest.raises(Refused, match="BAD_PHONE"):
        contacts.mobile(written, "GB", "mobile")


@pytest.mark.parametrize("written", ["ann", "ann@", "ann@localhost", "a b@example.org", "a@example.org\nBcc: x@y.org"])
def test_what_is_no_email_address_is_refused(written: str) -> None:
    with pytest.raises(Refused, match="BAD_EMAIL"):
        contacts.email(written, "email")


def test_d4_the_year_of_a_main_file_is_the_organisations() -> None:
    new_year_in_auckland = datetime(2026, 12, 31, 12, tzinfo=UTC)
    assert main_files.year_of(new_year_in_auckland, "Pacific/Auckland") == 2027
    assert main_files.year_of(new_year_in_auckland, "UTC") == 2026


def test_d4_numbers_have_no_gaps_but_step_over_what_upstream_issued() -> None:
    free = main_files.free_between(2027, 4, 8, {"FILE-2027-000006"})
    assert free == ["FILE-2027-000005", "FILE-2027-000007", "FILE-2027-000008"]
    assert main_files.free_between(2027, 8, 8, ()) == []


@pytest.mark.parametrize("written", ["FILE-27-000001", "FILE-2027-0000001", "file-2027-000001", "FILE-2027-0000\u0661"])
def test_d4_an_upstream_number_that_does_not_fit_is_refused(written: str) -> None:
    with pytest.raises(Refused, match="BAD_MAIN_FILE"):
        main_files.check(written, "main_file")
