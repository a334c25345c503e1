"""The gate's table, line by line and all combinations of what it asks."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from notifier.domain.channels import Route
from notifier.domain.gate import GATE, Asked, Decision, Send, Skip, decide
from notifier.domain.visits import Preferences
from schemas.appointments import Status
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason
from tests.unit.notifier.builders import EMAIL, MOBILE, NOW, PROVIDER, STARTS, visit

PATIENT_KINDS = (Kind.CONFIRMATION, Kind.REMINDER)
NOT_AFTER = STARTS - timedelta(hours=6)
ALL_OFF = Preferences(whatsapp=False, sms=False, email=False)


def judged(kind: Kind, preferences: Preferences | None = None, generation: int = 1, **changes: Any) -> Decision:
    return decide(Asked(kind, generation, NOT_AFTER), visit(**changes), preferences, NOW)


def test_r22_d34_a_confirmation_of_a_standing_visit_leaves_by_email_until_the_start() -> None:
    assert judged(Kind.CONFIRMATION) == Send(Route(Channel.EMAIL, EMAIL), STARTS)


def test_r23_a_reminder_leaves_by_sms_until_its_own_deadline() -> None:
    assert judged(Kind.REMINDER) == Send(Route(Channel.SMS, MOBILE), NOT_AFTER)


def test_r20_a_notice_goes_to_the_provider_of_now() -> None:
    assert judged(Kind.PROVIDER_BOOKED) == Send(Route(Channel.IN_APP, str(PROVIDER)), STARTS)


@pytest.mark.parametrize("changes", [{"provider_id": None, "provider_name": None}, {"provider_name": None}])
def test_r21_an_unknown_provider_gets_no_notice(changes: dict[str, Any]) -> None:
    assert judged(Kind.PROVIDER_BOOKED, **changes) == Skip(Reason.UNKNOWN_PROVIDER)


@pytest.mark.parametrize(("kind", "status"), list(product(GATE, Status)))
def test_r15_r26_d11_only_a_booked_visit_opens_the_gate_for_any_kind(kind: Kind, status: Status) -> None:
    expected = {
        Status.BOOKED: None,
        Status.CANCELLED: Reason.APPOINTMENT_CANCELLED,
        Status.ENTERED_IN_ERROR: Reason.APPOINTMENT_CANCELLED,
    }.get(status, Reason.NOT_SENDABLE)

    decision = judged(kind, status=status)

    assert isinstance(decision, Send) if expected is None else decision == Skip(expected)


@pytest.mark.parametrize("kind", GATE)
def test_d10_only_a_reminder_needs_its_own_generation(kind: Kind) -> None:
    decision = judged(kind, generation=1, schedule_gen=2)

    assert decision == Skip(Reason.RESCHEDULED) if kind is Kind.REMINDER else isinstance(decision, Send)


def test_d15_i8_a_reminder_never_leaves_after_its_deadline_but_at_it() -> None:
    asked = Asked(Kind.REMINDER, 1, NOT_AFTER)

    assert isinstance(decide(asked, visit(), None, NOT_AFTER), Send)
    assert decide(asked, visit(), None, NOT_AFTER + timedelta(microseconds=1)) == Skip(Reason.TOO_LATE)


@pytest.mark.parametrize("kind", [Kind.CONFIRMATION, Kind.PROVIDER_BOOKED])
def test_d37_nothing_is_said_about_a_visit_that_has_begun(kind: Kind) -> None:
    assert judged(kind, starts_at=NOW) == Skip(Reason.PAST_VISIT)
    assert judged(kind, starts_at=NOW - timedelta(days=900)) == Skip(Reason.PAST_VISIT)


def test_d31_a_confirmation_says_the_state_of_now_so_its_deadline_moves_with_the_visit() -> None:
    decision = judged(Kind.CONFIRMATION, schedule_gen=2, starts_at=STARTS + timedelta(days=7))

    assert isinstance(decision, Send)
    assert decision.not_after == STARTS + timedelta(days=7)


PERSON = (
    ({"registered": False}, Reason.UNKNOWN_PATIENT),
    ({"deceased": True}, Reason.DECEASED),
    ({"do_not_contact": True}, Reason.DO_NOT_CONTACT),
    ({"consent": False}, Reason.NO_CONSENT),
)


@pytest.mark.parametrize(("kind", "bars"), list(product(PATIENT_KINDS, range(1, 16))))
def test_d44_of_all_that_bars_a_person_the_first_gives_the_reason(kind: Kind, bars: int) -> None:
    present = [entry for place, entry in enumerate(PERSON) if bars >> place & 1]
    changes = {name: value for fields, _ in present for name, value in fields.items()}

    assert judged(kind, ALL_OFF, **changes) == Skip(present[0][1])


@pytest.mark.parametrize("bars", PERSON)
def test_r20_what_bars_messages_to_a_patient_leaves_the_providers_notice_open(
    bars: tuple[dict[str, Any], Reason],
) -> None:
    assert isinstance(judged(Kind.PROVIDER_BOOKED, **bars[0]), Send)


@pytest.mark.parametrize("kind", PATIENT_KINDS)
def test_d30_no_channel_and_no_contact_are_two_reasons(kind: Kind) -> None:
    assert judged(kind, ALL_OFF) == Skip(Reason.CHANNELS_DISABLED)
    assert judged(kind, mobile=None, email=None) == Skip(Reason.NO_CONTACT)


@pytest.mark.parametrize("kind", GATE)
def test_the_visits_reason_comes_before_the_persons(kind: Kind) -> None:
    assert judged(kind, ALL_OFF, status=Status.CANCELLED, registered=False) == Skip(Reason.APPOINTMENT_CANCELLED)


@pytest.mark.parametrize("kind", GATE)
def test_a_visit_that_booking_does_not_know_is_not_sent_about(kind: Kind) -> None:
    assert decide(Asked(kind, 1, NOT_AFTER), None, None, NOW) == Skip(Reason.NOT_SENDABLE)


@pytest.mark.parametrize("kind", GATE)
def test_a_visit_without_a_start_is_not_sent_about(kind: Kind) -> None:
    decision = decide(Asked(kind, 1, None), visit(starts_at=None), None, NOW)

    assert decision == Skip(Reason.NOT_SENDABLE)
