"""B12: who cannot be reached, and why."""

import pytest

from notifier.gate.domain.visit import Preferences
from notifier.staff.contacts.domain import Trouble, unreachable
from schemas.notifications import Channel
from schemas.reminders import Reason
from tests.support.notifier.builders import EMAIL, MOBILE, visit

NOBODY: frozenset[Channel] = frozenset()
BY_SMS = (Channel.SMS, MOBILE)
BY_EMAIL = (Channel.EMAIL, EMAIL)


def test_a_patient_with_a_channel_that_works_is_not_on_the_list() -> None:
    assert unreachable(visit(), None, NOBODY, {}) is None
    assert unreachable(visit(), None, NOBODY, {BY_SMS: "undelivered"}) is None
    assert unreachable(visit(), None, NOBODY, {BY_SMS: "delivered"}) is None


def test_an_unregistered_patient_has_no_contact_that_is_known() -> None:
    found = unreachable(visit(registered=False), None, NOBODY, {})

    assert found is not None
    assert found.reason is Reason.UNKNOWN_PATIENT


def test_d30_every_channel_switched_off_is_said_so() -> None:
    found = unreachable(visit(), Preferences(whatsapp=False, sms=False, email=False), NOBODY, {})

    assert found is not None
    assert (found.reason, found.channels) == (Reason.CHANNELS_DISABLED, ())


def test_no_address_on_any_channel_left_on_is_no_contact() -> None:
    found = unreachable(visit(mobile=None), Preferences(whatsapp=True, sms=True, email=False), NOBODY, {})

    assert found is not None
    assert found.reason is Reason.NO_CONTACT
    assert found.channels == (
        Trouble(Channel.WHATSAPP, Reason.NO_CONTACT), Trouble(Channel.SMS, Reason.NO_CONTACT),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("mobile", "email", "summed"),
    [
        ("undelivered", "rejected", Reason.UNDELIVERED),
        ("rejected", "rejected", Reason.REFUSED),
    ],
)
def test_the_newest_call_to_an_address_counts_against_it(mobile: str, email: str, summed: Reason) -> None:
    found = unreachable(visit(), None, NOBODY, {BY_SMS: mobile, BY_EMAIL: email})

    assert found is not None
    assert found.reason is summed


def test_a_number_that_was_mended_starts_anew() -> None:
    old = {(Channel.SMS, "+447700900000"): "undelivered"}

    assert unreachable(visit(email=None), None, NOBODY, old) is None


def test_d36_who_opted_out_on_his_only_channel_cannot_be_reminded() -> None:
    found = unreachable(visit(email=None), None, frozenset({Channel.SMS}), {})

    assert found is not None
    assert found.reason is Reason.OPTED_OUT
