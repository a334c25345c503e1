"""Which channels a message may take, and what a sending mode leaves of a decision."""

from itertools import product

import pytest

from notifier.gate.domain.channels import Offer, Route, offers
from notifier.gate.domain.decision import Send, Skip
from notifier.gate.domain.facts import ClinicSending, SendingModeName
from notifier.gate.domain.modes import SendingMode
from notifier.gate.domain.visit import Preferences
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason
from tests.support.notifier.builders import EMAIL, MOBILE, STARTS, visit

WHATSAPP, SMS, MAIL = (Route(Channel.WHATSAPP, MOBILE), Route(Channel.SMS, MOBILE), Route(Channel.EMAIL, EMAIL))


def routes(kind: Kind, said: Preferences | None, mobile: str | None = MOBILE, email: str | None = EMAIL) -> list[Route]:
    return [offer.route for offer in offers(kind, visit(mobile=mobile, email=email), said) if offer.route]


@pytest.mark.parametrize(("whatsapp", "sms", "email", "mobile", "mail"), list(product((True, False), repeat=5)))
def test_r23_d30_the_chain_is_whatsapp_sms_email_of_those_that_are_on(
    whatsapp: bool, sms: bool, email: bool, mobile: bool, mail: bool
) -> None:
    patient = visit(mobile=MOBILE if mobile else None, email=EMAIL if mail else None)
    chain = ((whatsapp, WHATSAPP, mobile), (sms, SMS, mobile), (email, MAIL, mail))
    expected = tuple(Offer(route.channel, route if there else None) for enabled, route, there in chain if enabled)

    assert offers(Kind.REMINDER, patient, Preferences(whatsapp, sms, email)) == expected


@pytest.mark.parametrize(
    ("mobile", "email", "expected"),
    [(MOBILE, EMAIL, [SMS, MAIL]), (MOBILE, None, [SMS]), (None, EMAIL, [MAIL]), (None, None, [])],
)
def test_d30_nothing_said_means_sms_else_email(mobile: str | None, email: str | None, expected: list[Route]) -> None:
    assert routes(Kind.REMINDER, None, mobile, email) == expected


@pytest.mark.parametrize("kind", [Kind.CONFIRMATION, Kind.MOVED, Kind.CANCELLED])
@pytest.mark.parametrize(
    ("said", "email", "expected"),
    [
        (None, EMAIL, [MAIL, SMS]),
        (Preferences(True, True, True), EMAIL, [MAIL, WHATSAPP, SMS]),
        (Preferences(True, True, False), EMAIL, [WHATSAPP, SMS]),
        (Preferences(False, True, True), None, [SMS]),
        (None, None, [SMS]),
    ],
)
def test_d34_what_carries_a_calendar_entry_goes_by_email_first_else_down_the_chain(
    kind: Kind, said: Preferences | None, email: str | None, expected: list[Route]
) -> None:
    assert routes(kind, said, email=email) == expected


@pytest.mark.parametrize("mobile", ["", "0207 183", "+0123456789", "+44 2071838750", "+442071838750\n", "12345678"])
def test_a_number_that_no_carrier_takes_is_no_contact(mobile: str) -> None:
    assert routes(Kind.REMINDER, None, mobile=mobile, email=None) == []


@pytest.mark.parametrize(
    "email",
    ["", "ada", "ada@", "a b@example.org", "ada@example.org\r\nBcc: x@y.org", "<ada@example.org>", "a@b@c"],
)
def test_an_address_that_could_break_a_header_is_no_contact(email: str) -> None:
    assert routes(Kind.REMINDER, None, mobile=None, email=email) == []


def test_the_allow_list_lets_only_its_addresses_pass() -> None:
    mode = SendingMode(SendingModeName.ALLOW_LIST, frozenset({MOBILE}))
    sms, mail = Send(SMS, STARTS, Kind.REMINDER), Send(MAIL, STARTS, Kind.REMINDER)

    assert mode.apply(sms) == sms
    assert mode.apply(mail) == Skip(Reason.HELD)
    assert mode.apply(Skip(Reason.NO_CONSENT)) == Skip(Reason.NO_CONSENT)


def test_the_allow_list_lets_an_address_pass_whatever_the_spelling_of_its_domain() -> None:
    mode = SendingMode(SendingModeName.ALLOW_LIST, frozenset({"ada@bücher.example"}))
    mail = Send(Route(Channel.EMAIL, "ada@xn--bcher-kva.example"), STARTS, Kind.REMINDER)

    assert mode.apply(mail) == mail


def test_in_app_notices_are_not_held() -> None:
    notice = Send(Route(Channel.IN_APP, "provider"), STARTS, Kind.PROVIDER_BOOKED)

    assert SendingMode(SendingModeName.ALLOW_LIST).apply(notice) == notice


def test_a_live_installation_sends_everything() -> None:
    mail = Send(MAIL, STARTS, Kind.REMINDER)

    assert SendingMode(SendingModeName.LIVE).apply(mail) == mail


@pytest.mark.parametrize(("setting", "chosen"), list(product(SendingModeName, (None, *SendingModeName))))
def test_what_was_switched_comes_before_the_setting_and_the_lists_are_joined(
    setting: SendingModeName, chosen: SendingModeName | None
) -> None:
    mode = SendingMode(setting, frozenset({MOBILE})).at(ClinicSending(chosen, frozenset({EMAIL})))

    assert mode == SendingMode(chosen or setting, frozenset({MOBILE, EMAIL}))
