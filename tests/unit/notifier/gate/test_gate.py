"""The gate's table, line by line and all combinations of what it asks."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from notifier.gate import statements as gate_statements
from notifier.gate.domain.chain import Step
from notifier.gate.domain.channels import Route
from notifier.gate.domain.decision import (
    GATE,
    HELD_FOR,
    MOST_A_DAY,
    Asked,
    Decision,
    Send,
    Skip,
    Wait,
    budget_of,
    decide,
)
from notifier.gate.domain.facts import ClinicSending, GateFacts, Lack, Told
from notifier.gate.domain.told import Said
from notifier.gate.domain.visit import Preferences
from notifier.gate.store import GATE_FIELDS
from notifier.values.kinds import Deadline
from schemas.appointments import Status
from schemas.notifications import Channel, Kind
from schemas.planning import barred_by, reason_not_to_remind
from schemas.reminders import Reason
from tests.support.notifier.builders import EMAIL, MOBILE, NOW, PROVIDER, STARTS, said, visit

PATIENT_KINDS = tuple(kind for kind, needs in GATE.items() if needs.person)
PROVIDER_KINDS = tuple(kind for kind, needs in GATE.items() if not needs.person)
FROM_ITS_START = tuple(kind for kind, needs in GATE.items() if needs.deadline is Deadline.START)
OF_ITS_GENERATION = {Kind.REMINDER, Kind.NO_SHOW, Kind.CLEARANCE_MISSING}
CAPPED = {Kind.REMINDER, Kind.TODAY, Kind.NO_SHOW, Kind.CLEARANCE_MISSING}
NOT_AFTER = STARTS - timedelta(hours=6)
ALL_OFF = Preferences(whatsapp=False, sms=False, email=False)
WANTED = ClinicSending(no_show_follow_up=True)
OFF = {
    Status.CANCELLED, Status.ENTERED_IN_ERROR, Status.PROPOSED, Status.PENDING, Status.WAITLIST,
}  # fmt: skip
OPENS: dict[Kind, set[Status]] = {
    Kind.CANCELLED: OFF,
    Kind.PROVIDER_CANCELLED: OFF,
    Kind.NO_SHOW: {Status.NOSHOW},
    Kind.PROVIDER_ARRIVED: {Status.ARRIVED, Status.CHECKED_IN},
    Kind.PROVIDER_NOT_CLEARED: {Status.CHECKED_IN, Status.FULFILLED},
}
"""All others: booked."""


def judged(
    kind: Kind, facts: GateFacts | None = None, generation: int = 1, steps: tuple[Step, ...] = (), **changes: Any
) -> Decision:
    fitting = {"status": min(OPENS.get(kind, {Status.BOOKED})), **changes}
    asked = Asked(kind, generation, NOT_AFTER, steps)
    facts = replace(facts or GateFacts(clinic=WANTED), lacks=(Lack("consent"),))
    if facts.told.said is None:
        facts = replace(facts, told=replace(facts.told, said=fits(kind)))
    return decide(asked, visit(**fitting), facts, NOW)


def fits(kind: Kind) -> Said | None:
    """Return what the recipient was told for this kind to be what he has to hear."""
    if kind in {Kind.CANCELLED, Kind.PROVIDER_CANCELLED}:
        return said()
    return said(starts_at=STARTS - timedelta(days=1)) if kind in {Kind.MOVED, Kind.PROVIDER_MOVED} else None


def test_every_kind_but_the_list_of_the_day_has_a_line() -> None:
    assert set(GATE) == set(Kind) - {Kind.PROVIDER_DAY}


def test_r22_d34_a_confirmation_of_a_standing_visit_leaves_by_email_until_the_start() -> None:
    assert judged(Kind.CONFIRMATION, GateFacts()) == Send(Route(Channel.EMAIL, EMAIL), STARTS, Kind.CONFIRMATION)


def test_r23_a_reminder_leaves_by_sms_until_its_own_deadline() -> None:
    assert judged(Kind.REMINDER, GateFacts()) == Send(Route(Channel.SMS, MOBILE), NOT_AFTER, Kind.REMINDER)


@pytest.mark.parametrize("kind", PROVIDER_KINDS)
def test_r20_a_notice_goes_to_the_provider_of_now(kind: Kind) -> None:
    decision = judged(kind)

    assert isinstance(decision, Send)
    assert decision.route == Route(Channel.IN_APP, str(PROVIDER))


@pytest.mark.parametrize("changes", [{"provider_id": None, "provider_name": None}, {"provider_name": None}])
@pytest.mark.parametrize("kind", PROVIDER_KINDS)
def test_r21_an_unknown_provider_gets_no_notice(kind: Kind, changes: dict[str, Any]) -> None:
    assert judged(kind, **changes) == Skip(Reason.UNKNOWN_PROVIDER)


@pytest.mark.parametrize(("kind", "status"), list(product(GATE, Status)))
def test_r15_r26_d11_each_kind_needs_its_own_status(kind: Kind, status: Status) -> None:
    decision = judged(kind, status=status)

    if status in OPENS.get(kind, {Status.BOOKED}):
        assert isinstance(decision, Send)
    elif kind in {Kind.CANCELLED, Kind.PROVIDER_CANCELLED}:
        assert decision == Skip(Reason.SUPERSEDED if status is Status.BOOKED else Reason.NOT_SENDABLE)
    else:
        over = status in {Status.CANCELLED, Status.ENTERED_IN_ERROR}
        assert decision == Skip(Reason.APPOINTMENT_CANCELLED if over else Reason.NOT_SENDABLE)


@pytest.mark.parametrize("kind", GATE)
def test_d10_only_what_was_made_for_one_schedule_needs_it_to_stand(kind: Kind) -> None:
    decision = judged(kind, generation=1, schedule_gen=2)

    assert decision == Skip(Reason.RESCHEDULED) if kind in OF_ITS_GENERATION else isinstance(decision, Send)


def test_d15_i8_a_reminder_never_leaves_after_its_deadline_but_at_it() -> None:
    asked = Asked(Kind.REMINDER, 1, NOW)

    assert isinstance(decide(asked, visit(), GateFacts(), NOW), Send)
    assert decide(asked, visit(), GateFacts(), NOW + timedelta(microseconds=1)) == Skip(Reason.TOO_LATE)


@pytest.mark.parametrize("kind", FROM_ITS_START)
def test_d37_no_news_of_a_visit_that_has_begun(kind: Kind) -> None:
    assert judged(kind, starts_at=NOW) == Skip(Reason.PAST_VISIT)
    assert judged(kind, starts_at=NOW - timedelta(days=900)) == Skip(Reason.PAST_VISIT)


@pytest.mark.parametrize("kind", [Kind.NO_SHOW, Kind.PROVIDER_ARRIVED])
def test_r28_d19_what_happens_at_the_visit_may_be_said_after_its_start(kind: Kind) -> None:
    assert isinstance(judged(kind, starts_at=NOW - timedelta(hours=1)), Send)


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
    changes: dict[str, Any] = {name: value for fields, _ in present for name, value in fields.items()}

    assert judged(kind, GateFacts(ALL_OFF, clinic=WANTED), **changes) == Skip(present[0][1])


@pytest.mark.parametrize("flags", list(product((True, False), repeat=3)))
@pytest.mark.parametrize("status", Status)
def test_d44_a_reminder_is_planned_if_and_only_if_the_gate_would_let_it_out_and_for_the_same_reason(
    status: Status, flags: tuple[bool, bool, bool]
) -> None:
    deceased, do_not_contact, consent = flags
    asked = Asked(Kind.REMINDER, 1, NOT_AFTER)

    decision = decide(
        asked,
        visit(status=status, deceased=deceased, do_not_contact=do_not_contact, consent=consent),
        GateFacts(),
        NOW,
    )

    bar = barred_by(deceased=deceased, do_not_contact=do_not_contact, consent=consent)
    planned = reason_not_to_remind(status, bar)
    assert (decision.reason if isinstance(decision, Skip) else None) is planned


@pytest.mark.parametrize(("kind", "bars"), list(product(PROVIDER_KINDS, PERSON)))
def test_r20_what_bars_messages_to_a_patient_leaves_the_providers_notice_open(
    kind: Kind, bars: tuple[dict[str, Any], Reason]
) -> None:
    assert isinstance(judged(kind, **bars[0]), Send)


@pytest.mark.parametrize("kind", PATIENT_KINDS)
def test_d30_no_channel_and_no_contact_are_two_reasons(kind: Kind) -> None:
    unreachable = judged(kind, mobile=None, email=None)

    assert judged(kind, GateFacts(ALL_OFF, clinic=WANTED)) == Skip(Reason.CHANNELS_DISABLED)
    assert isinstance(unreachable, Skip)
    assert unreachable.reason is Reason.NO_CONTACT


@pytest.mark.parametrize("kind", PATIENT_KINDS)
def test_d18_the_cap_shuts_reminders_and_follow_ups_and_lets_news_of_a_change_pass(kind: Kind) -> None:
    below, at = (judged(kind, GateFacts(told=Told(today), clinic=WANTED)) for today in (MOST_A_DAY - 1, MOST_A_DAY))

    assert isinstance(below, Send)
    assert at == Skip(Reason.LIMIT) if kind in CAPPED else isinstance(at, Send)


ELSEWHERE, ENDED = said(starts_at=STARTS + timedelta(days=1)), said(stands=False)
JUST_ENDED = replace(ELSEWHERE, stands=False, at=NOW - timedelta(minutes=2))


@pytest.mark.parametrize("kind", [Kind.CONFIRMATION, Kind.MOVED])
@pytest.mark.parametrize(
    ("told", "says"),
    [
        (Told(), Kind.CONFIRMATION),
        (Told(said=ELSEWHERE), Kind.MOVED),
        (Told(said=said(clinic_id="SOUTH")), Kind.MOVED),
        (Told(said=ENDED), Kind.CONFIRMATION),
        (Told(said=JUST_ENDED), Kind.MOVED),
        (Told(said=replace(JUST_ENDED, starts_at=STARTS)), Kind.CONFIRMATION),
        (Told(said=replace(JUST_ENDED, starts_at=STARTS, clinic_id="SOUTH")), Kind.MOVED),
        (Told(said=replace(JUST_ENDED, at_first_hand=False)), Kind.CONFIRMATION),
        (Told(replaced=ELSEWHERE), Kind.MOVED),
        (Told(replaced=said()), Kind.CONFIRMATION),
    ],
)
def test_d58_what_a_message_says_is_what_its_recipient_does_not_know(kind: Kind, told: Told, says: Kind) -> None:
    decision = decide(Asked(kind, 1, NOT_AFTER), visit(), GateFacts(told=told), NOW)

    assert isinstance(decision, Send)
    assert decision.kind is says


@pytest.mark.parametrize("kind", [Kind.CONFIRMATION, Kind.MOVED, Kind.PROVIDER_BOOKED, Kind.PROVIDER_MOVED])
def test_d58_who_knows_is_not_told_again_but_by_a_person(kind: Kind) -> None:
    knows = GateFacts(told=Told(said=said()))

    assert decide(Asked(kind, 1, NOT_AFTER), visit(), knows, NOW) == Skip(Reason.ALREADY_TOLD)
    assert isinstance(decide(Asked(kind, 1, NOT_AFTER, again=True), visit(), knows, NOW), Send)


@pytest.mark.parametrize("kind", [Kind.CANCELLED, Kind.PROVIDER_CANCELLED])
@pytest.mark.parametrize("status", sorted(OFF))
def test_d58_nobody_hears_of_the_end_of_a_visit_of_which_he_never_heard_or_knows_it(kind: Kind, status: Status) -> None:
    asked, over = Asked(kind, 1, NOT_AFTER), visit(status=status)

    assert decide(asked, over, GateFacts(), NOW) == Skip(Reason.NOT_SENDABLE)
    assert decide(asked, over, GateFacts(told=Told(said=ENDED)), NOW) == Skip(Reason.ALREADY_TOLD)
    assert isinstance(decide(asked, over, GateFacts(told=Told(said=said())), NOW), Send)


def test_d18_the_mornings_message_leaves_neither_after_its_hour_nor_after_the_start() -> None:
    soon, late = (judged(Kind.TODAY, starts_at=NOW + timedelta(hours=hours)) for hours in (1, 48))

    assert isinstance(soon, Send)
    assert isinstance(late, Send)
    assert (soon.not_after, late.not_after) == (NOW + timedelta(hours=1), NOT_AFTER)
    assert judged(Kind.TODAY, starts_at=NOW - timedelta(seconds=1)) == Skip(Reason.TOO_LATE)


def test_d19_a_missed_visit_is_followed_up_only_where_the_clinic_wants_it() -> None:
    assert judged(Kind.NO_SHOW, GateFacts()) == Skip(Reason.NOT_WANTED)
    assert isinstance(judged(Kind.NO_SHOW, GateFacts(clinic=WANTED)), Send)


def test_what_is_missing_is_said_only_while_something_is_missing() -> None:
    asked = Asked(Kind.CLEARANCE_MISSING, 1, NOT_AFTER)
    lacking = GateFacts(lacks=(Lack("consent"),))

    assert decide(asked, visit(), lacking, NOW) == Send(Route(Channel.SMS, MOBILE), NOT_AFTER, Kind.CLEARANCE_MISSING)
    assert decide(asked, visit(), GateFacts(), NOW) == Skip(Reason.CLEARED)
    assert decide(asked, visit(do_not_contact=True), GateFacts(), NOW) == Skip(Reason.CLEARED)
    assert decide(asked, visit(status=Status.CANCELLED), GateFacts(), NOW) == Skip(Reason.APPOINTMENT_CANCELLED)


def test_d32_the_next_channel_after_a_refusal() -> None:
    decision = judged(Kind.REMINDER, steps=(Step(Channel.SMS, Reason.REFUSED),))

    assert isinstance(decision, Send)
    assert decision.route == Route(Channel.EMAIL, EMAIL)


def test_d16_the_gate_waits_for_the_hours() -> None:
    night = NOW.replace(hour=23)
    decision = decide(Asked(Kind.REMINDER, 1, NOT_AFTER), visit(), GateFacts(), night)

    assert decision == Wait(night + timedelta(hours=8), Channel.SMS, NOT_AFTER)


@pytest.mark.parametrize("kind", [Kind.REMINDER, Kind.CONFIRMATION, Kind.TODAY])
def test_nothing_leaves_of_a_visit_that_is_held_back_until_it_is_not(kind: Kind) -> None:
    held = visit(held_back=True)
    waits = decide(Asked(kind, 1, NOT_AFTER), held, GateFacts(), NOW)

    assert isinstance(waits, Wait)
    assert (waits.until, waits.reason) == (NOW + HELD_FOR, Reason.HELD_BACK)
    assert isinstance(decide(Asked(kind, 1, NOT_AFTER), visit(), GateFacts(), NOW), Send)
    late = decide(Asked(kind, 1, NOT_AFTER), held, GateFacts(), NOT_AFTER + timedelta(days=9))
    assert isinstance(late, Skip)
    assert late.reason in {Reason.TOO_LATE, Reason.PAST_VISIT}


def test_of_a_visit_that_is_held_back_a_message_waits_for_its_hours_too_and_its_provider_hears_nothing() -> None:
    held, night = visit(held_back=True), NOW.replace(hour=23)
    waits = decide(Asked(Kind.REMINDER, 1, NOT_AFTER), held, GateFacts(), night)

    assert waits == Wait(night + timedelta(hours=8), Channel.SMS, NOT_AFTER, reason=Reason.HELD_BACK)
    assert decide(Asked(Kind.PROVIDER_BOOKED, 1, None), held, GateFacts(), NOW) == Skip(Reason.HELD_BACK)


@pytest.mark.parametrize(
    ("kind", "lead_hours", "minutes"),
    [
        (Kind.REMINDER, 24, 30),
        (Kind.REMINDER, 12, 30),
        (Kind.REMINDER, 2, 10),
        (Kind.MOVED, 2, 30),
        (Kind.TODAY, 2, 30),
    ],
)
def test_d33_one_channel_is_tried_10_min_for_the_2_h_rule_and_else_30(
    kind: Kind, lead_hours: int, minutes: int
) -> None:
    not_after = STARTS - timedelta(hours=lead_hours) / 4

    assert budget_of(kind, STARTS, not_after) == timedelta(minutes=minutes)


def test_d32_the_clinics_policy_for_unknown_outcomes_travels_with_the_call() -> None:
    decision = judged(Kind.REMINDER, GateFacts(clinic=ClinicSending(double_over_miss=True)))

    assert isinstance(decision, Send)
    assert decision.terms.double_over_miss


@pytest.mark.parametrize("kind", PATIENT_KINDS)
def test_the_visits_reason_comes_before_the_persons(kind: Kind) -> None:
    other = Status.FULFILLED if kind is Kind.CANCELLED else Status.ENTERED_IN_ERROR
    decision = judged(kind, GateFacts(ALL_OFF), status=other, registered=False)

    expected = Reason.NOT_SENDABLE if kind is Kind.CANCELLED else Reason.APPOINTMENT_CANCELLED
    assert decision == Skip(expected)


@pytest.mark.parametrize("kind", GATE)
def test_a_visit_that_booking_does_not_know_is_not_sent_about(kind: Kind) -> None:
    assert decide(Asked(kind, 1, NOT_AFTER), None, GateFacts(), NOW) == Skip(Reason.NOT_SENDABLE)


@pytest.mark.parametrize("kind", GATE)
def test_a_visit_without_a_start_is_not_sent_about(kind: Kind) -> None:
    assert judged(kind, starts_at=None) == Skip(Reason.NOT_SENDABLE)


def test_the_gates_statement_names_its_columns_in_the_order_of_a_visits_fields() -> None:
    named = gate_statements.GATE.partition("SELECT")[2].partition("FROM")[0].split(",")

    assert tuple(name.strip() for name in named) == GATE_FIELDS
