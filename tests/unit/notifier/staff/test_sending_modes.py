"""What may be chosen about sending."""

from datetime import time

import pytest

from notifier.staff.sending_modes.domain import LONGEST_ALLOW_LIST, BadChoice, allow_list, windows
from schemas.notifications import Channel


def test_an_allow_list_is_kept_in_lower_case_sorted_and_each_address_once() -> None:
    assert allow_list([" Ada@Example.org", "+447700900123", "ada@example.org"]) == ("+447700900123", "ada@example.org")


def test_two_spellings_of_a_domain_are_one_entry_of_an_allow_list() -> None:
    assert allow_list(["ada@xn--bcher-kva.example", "ada@bücher.example"]) == ("ada@bücher.example",)


@pytest.mark.parametrize("entry", ["07700 900123", "ada", "ada@x\r\nBcc: eve@x", "", "+44" * 20])
def test_what_no_carrier_could_take_is_no_address(entry: str) -> None:
    with pytest.raises(BadChoice) as raised:
        allow_list([entry])
    assert (raised.value.code, raised.value.place) == ("BAD_ADDRESS", "allow_list.0")
    assert not entry.strip() or entry.strip() not in str(raised.value)


def test_an_allow_list_has_an_end() -> None:
    with pytest.raises(BadChoice, match=str(LONGEST_ALLOW_LIST)):
        allow_list(f"a{n}@example.org" for n in range(LONGEST_ALLOW_LIST + 1))


def test_d16_a_channel_may_have_hours_of_its_own() -> None:
    assert windows({"sms": ("09:00", "20:00")}) == {Channel.SMS: (time(9), time(20))}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"fax": ("09:00", "20:00")}, "BAD_CHANNEL"),
        ({"in-app": ("09:00", "20:00")}, "BAD_CHANNEL"),
        ({"sms": ("9", "20:00")}, "BAD_TIME"),
        ({"sms": ("09:00:30", "20:00")}, "BAD_TIME"),
        ({"sms": ("09:00+01:00", "20:00")}, "BAD_TIME"),
        ({"sms": ("20:00", "09:00")}, "BAD_WINDOW"),
        ({"sms": ("09:00", "09:00")}, "BAD_WINDOW"),
    ],
)
def test_d16_hours_that_make_no_sense_are_refused(given: dict[str, tuple[str, str]], code: str) -> None:
    with pytest.raises(BadChoice) as raised:
        windows(given)
    assert raised.value.code == code
