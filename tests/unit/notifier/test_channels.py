"""Which channel a message takes."""

from itertools import product

import pytest

from notifier.domain.channels import Route, chain, choose
from notifier.domain.gate import Send, Skip
from notifier.domain.modes import Mode, SendingMode
from notifier.domain.visits import Preferences
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason
from tests.unit.notifier.builders import EMAIL, MOBILE, STARTS, visit

WHATSAPP, SMS, MAIL = (Route(Channel.WHATSAPP, MOBILE), Route(Channel.SMS, MOBILE), Route(Channel.EMAIL, EMAIL))


@pytest.mark.parametrize(("whatsapp", "sms", "email", "mobile", "mail"), list(product((True, False), repeat=5)))
def test_r23_d30_the_first_of_whatsapp_sms_email_that_is_on_and_reachable(
    whatsapp: bool, sms: bool, email: bool, mobile: bool, mail: bool
) -> None:
    patient = visit(mobile=MOBILE if mobile else None, email=EMAIL if mail else None)
    offers = ((whatsapp and mobile, WHATSAPP), (sms and mobile, SMS), (email and mail, MAIL))
    expected = tuple(route for usable, route in offers if usable)
    said = Preferences(whatsapp, sms, email)

    assert chain(Kind.REMINDER, patient, said) == expected
    if not (whatsapp or sms or email):
        assert choose(Kind.REMINDER, patient, said) is Reason.CHANNELS_DISABLED
    else:
        assert choose(Kind.REMINDER, patient, said) == (expected[0] if expected else Reason.NO_CONTACT)


@pytest.mark.parametrize(
    ("mobile", "email", "expected"),
    [(MOBILE, EMAIL, SMS), (MOBILE, None, SMS), (None, EMAIL, MAIL), (None, None, Reason.NO_CONTACT)],
)
def test_d30_nothing_said_means_sms_else_email(mobile: str | None, email: str | None, expected: object) -> None:
    assert choose(Kind.REMINDER, visit(mobile=mobile, email=email), None) == expected


@pytest.mark.parametrize(
    ("said", "email", "expected"),
    [
        (None, EMAIL, MAIL),
        (Preferences(True, True, True), EMAIL, MAIL),
        (Preferences(True, True, False), EMAIL, WHATSAPP),
        (Preferences(False, True, True), None, SMS),
        (None, None, SMS),
    ],
)
def test_d34_a_confirmation_goes_by_email_first_else_down_the_chain(
    said: Preferences | None, email: str | None, expected: Route
) -> None:
    assert choose(Kind.CONFIRMATION, visit(email=email), said) == expected


@pytest.mark.parametrize("mobile", ["", "0207 183", "+0123456789", "+44 2071838750", "+442071838750\n", "12345678"])
def test_a_number_that_no_carrier_takes_is_no_contact(mobile: str) -> None:
    assert choose(Kind.REMINDER, visit(mobile=mobile, email=None), None) is Reason.NO_CONTACT


@pytest.mark.parametrize(
    "email",
    ["", "ada", "ada@", "a b@example.org", "ada@example.org\r\nBcc: x@y.org", "<ada@example.org>", "a@b@c"],
)
def test_an_address_that_could_break_a_header_is_no_contact(email: str) -> None:
    assert choose(Kind.REMINDER, visit(mobile=None, email=email), None) is Reason.NO_CONTACT


def test_the_allow_list_lets_only_its_addresses_pass() -> None:
    mode = SendingMode(Mode.ALLOW_LIST, frozenset({MOBILE}))

    assert mode.apply(Send(SMS, STARTS)) == Send(SMS, STARTS)
    assert mode.apply(Send(MAIL, STARTS)) == Skip(Reason.HELD)
    assert mode.apply(Skip(Reason.NO_CONSENT)) == Skip(Reason.NO_CONSENT)


def test_in_app_notices_are_not_held() -> None:
    notice = Send(Route(Channel.IN_APP, "provider"), STARTS)

    assert SendingMode(Mode.ALLOW_LIST).apply(notice) == notice


def test_a_live_installation_sends_everything() -> None:
    assert SendingMode(Mode.LIVE).apply(Send(MAIL, STARTS)) == Send(MAIL, STARTS)
