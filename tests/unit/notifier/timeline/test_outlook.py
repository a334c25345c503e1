"""B1: what is told as still to come is what the gate would let out; all else is told as not to be sent, and why."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from notifier.gate.domain.decision import Asked
from notifier.gate.domain.facts import ClinicSending, GateFacts, SendingModeName, Told
from notifier.gate.domain.modes import SendingMode
from notifier.gate.domain.visit import Preferences, Visit
from notifier.ledger.domain.plain_english import AHEAD, NOTHING_TO_TAKE_BACK, REASONS, words_ahead
from notifier.ledger.domain.states import NotificationState
from notifier.timeline.domain.answer import WhatPatientGot, answer
from notifier.timeline.domain.entries import ReminderFact, ReminderStage
from notifier.timeline.domain.outlook import Hold, Outlook, Standing
from notifier.timeline.domain.sent_messages import MessageFact, of_messages
from schemas.appointments import SendWindow, Status
from schemas.notifications import Channel, DeliveryState, Kind
from schemas.reminders import Reason
from tests.support.notifier.builders import EMAIL, MOBILE, NOW, STARTS, said, visit

LONDON = ZoneInfo("Europe/London")
LIVE, HOLD = SendingMode(SendingModeName.LIVE), SendingMode(SendingModeName.HOLD)
LISTED = SendingMode(SendingModeName.ALLOW_LIST, frozenset({MOBILE}))
DUE = STARTS - timedelta(hours=24)


def reminder(due: datetime | None = DUE, generation: int = 1, not_after: datetime | None = None) -> ReminderFact:
    stages = (ReminderStage(NOW, "SCHEDULED", None, handed_over=False, notification_id=None, delivery_state=None,
                            caused_by="v1"),)  # fmt: skip
    return ReminderFact("r-1", "24h", generation, due, stages, not_after)


def waiting(**changes: Any) -> MessageFact:
    queued = MessageFact(
        "n-1", Kind.CONFIRMATION, "patient", 0, NotificationState.QUEUED, Channel.EMAIL, None, DeliveryState.UNKNOWN,
        NOW, NOW, None, STARTS, NOW, "v1",
    )  # fmt: skip
    return replace(queued, **changes)


def told(
    messages: tuple[MessageFact, ...] = (), *, seen: Visit | None = None, facts: GateFacts | None = None,
    sending: SendingMode = LIVE, hold: Hold | None = None, due: ReminderFact | None = None, now: datetime = NOW,
) -> WhatPatientGot:  # fmt: skip
    seen, facts = seen or visit(), facts or GateFacts()
    standing: Mapping[str, Standing] = {
        one.notification_id: Standing(Asked(one.kind, 1, one.not_after), seen, facts) for one in messages
    }
    outlook = Outlook(now, sending, Standing(Asked(Kind.REMINDER, 0, None), seen, facts), standing, hold)
    return answer(messages, (due or reminder(),), (), (), LONDON, outlook)


ALL_CHANNELS = frozenset({Channel.SMS, Channel.EMAIL, Channel.WHATSAPP})
SHUT = SendWindow(opens=time(19), closes=time(20))

REFUSED: dict[str, tuple[dict[str, Any], Reason]] = {
    "opted out": ({"facts": GateFacts(opted_out=ALL_CHANNELS)}, Reason.OPTED_OUT),
    "not registered": ({"seen": visit(registered=False)}, Reason.UNKNOWN_PATIENT),
    "barred: do not contact": ({"seen": visit(do_not_contact=True)}, Reason.DO_NOT_CONTACT),
    "barred: no consent": ({"seen": visit(consent=False)}, Reason.NO_CONSENT),
    "barred: deceased": ({"seen": visit(deceased=True)}, Reason.DECEASED),
    "on no allow-list": ({"sending": SendingMode(SendingModeName.ALLOW_LIST)}, Reason.HELD),
    "on no allow-list of a clinic that has its own mode": (
        {"facts": GateFacts(clinic=ClinicSending(SendingModeName.ALLOW_LIST))}, Reason.HELD),
    "every channel off": ({"facts": GateFacts(preferences=Preferences(False, False, False))},
                          Reason.CHANNELS_DISABLED),
    "no address": ({"seen": visit(mobile=None, email=None)}, Reason.NO_CONTACT),
    "hours that leave no time": (
        {"facts": GateFacts(clinic=ClinicSending(channel_windows={Channel.SMS: SHUT, Channel.EMAIL: SHUT})),
         "due": reminder(not_after=DUE + timedelta(hours=6))}, Reason.QUIET_HOURS),
    "too late by now": ({"due": reminder(NOW - timedelta(hours=3), not_after=NOW - timedelta(hours=1))},
                        Reason.TOO_LATE),
    "cancelled, the planner has not read it yet": ({"seen": visit(status=Status.CANCELLED)},
                                                   Reason.APPOINTMENT_CANCELLED),
    "moved, the planner has not read it yet": ({"seen": visit(schedule_gen=2)}, Reason.RESCHEDULED),
    "two messages today, and due today": (
        {"facts": GateFacts(told=Told(today=2)), "due": reminder(NOW + timedelta(hours=2))}, Reason.LIMIT),
}  # fmt: skip


@pytest.mark.parametrize(("given", "reason"), REFUSED.values(), ids=REFUSED)
def test_b1_a_reminder_that_the_gate_would_refuse_is_not_told_as_still_to_come(
    given: dict[str, Any], reason: Reason
) -> None:
    found = told(**given)

    assert found.to_come == ()
    [line] = found.will_not_get
    assert line.startswith("reminder 24h at ")
    assert line.endswith(f" ({words_ahead(reason)})")
    assert found.text == f"The patient got nothing. Will not be sent, as things stand: {line}."


LET_OUT: dict[str, dict[str, Any]] = {
    "ordinary": {},
    "opted out of one channel": {"facts": GateFacts(opted_out=frozenset({Channel.SMS}))},
    "on the allow-list": {"sending": LISTED},
    "on the clinic's own allow-list": {
        "facts": GateFacts(clinic=ClinicSending(SendingModeName.ALLOW_LIST, frozenset({MOBILE, EMAIL})))},
    "two messages today, due tomorrow": {"facts": GateFacts(told=Told(today=2))},
    "its hours open later, in time": {
        "facts": GateFacts(clinic=ClinicSending(channel_windows={Channel.SMS: SHUT, Channel.EMAIL: SHUT}))},
    "no mobile, but an email": {"seen": visit(mobile=None)},
}  # fmt: skip


@pytest.mark.parametrize("given", LET_OUT.values(), ids=LET_OUT)
def test_b1_a_reminder_that_the_gate_would_let_out_is_still_to_come(given: dict[str, Any]) -> None:
    found = told(**given)

    assert (found.to_come, found.will_not_get) == (("reminder 24h at 2027-03-02 09:00",), ())


def test_b1_without_what_the_gate_sees_what_is_planned_is_told_as_to_come() -> None:
    assert answer((), (reminder(),), (), (), LONDON).to_come == ("reminder 24h at 2027-03-02 09:00",)


def test_b1_a_message_that_waits_and_would_be_refused_is_not_to_come_either() -> None:
    found = told((waiting(),), facts=GateFacts(opted_out=ALL_CHANNELS))

    opted_out = REASONS[Reason.OPTED_OUT]
    assert found.will_not_get == (f"confirmation ({opted_out})", f"reminder 24h at 2027-03-02 09:00 ({opted_out})")


def test_b1_a_cancellation_of_which_he_was_never_told_says_so_of_itself() -> None:
    cancelled = waiting(kind=Kind.CANCELLED)

    found = told((cancelled,), seen=visit(status=Status.CANCELLED))

    assert found.will_not_get[0].endswith(f" ({NOTHING_TO_TAKE_BACK})")


HOLDS = {
    "a clinic's": (
        Hold("NORTH", NOW - timedelta(hours=1), "A. Abara"),
        "Sending is held (mode hold) at NORTH since 2027-03-01 08:00, by A. Abara.",
    ),
    "the installation's": (
        Hold(None, NOW, "root"),
        "Sending is held (mode hold) at every clinic without a mode of its own since 2027-03-01 09:00, by root.",
    ),
    "the setting's": (
        Hold(),
        "Sending is held (mode hold) at every clinic without a mode of its own by the notifier's setting.",
    ),
}


@pytest.mark.parametrize(("hold", "words"), HOLDS.values(), ids=HOLDS)
def test_b1_while_sending_is_held_the_answer_says_since_when_by_whom_and_what_leaves_once_it_is_lifted(
    hold: Hold, words: str
) -> None:
    found = told((waiting(),), sending=HOLD, hold=hold)

    leaves = ("confirmation by email, until 2027-03-03 09:00", "reminder 24h at 2027-03-02 09:00")
    assert (found.held, found.to_come) == (hold, leaves)
    assert found.text == f"The patient got nothing so far. {words} Once that is lifted: {'; '.join(leaves)}."


def test_b1_what_would_not_leave_even_then_is_told_apart() -> None:
    found = told((waiting(),), sending=HOLD, hold=Hold(), seen=visit(registered=False))

    assert (found.to_come, len(found.will_not_get)) == ((), 2)


def test_b1_the_entry_of_a_message_that_is_held_names_the_hold_and_not_when_it_is_looked_at_again() -> None:
    notice = waiting(kind=Kind.PROVIDER_BOOKED, recipient="provider")

    held, _ = (of_messages([one], LONDON, held=True)[-1].text for one in (waiting(), notice))

    assert held == "confirmation waits: sending is held"


def test_b1_every_reason_of_what_is_ahead_is_one_that_there_is() -> None:
    assert set(AHEAD) <= set(Reason)
    assert all(words_ahead(reason) for reason in Reason)


def test_b1_news_that_another_message_has_told_meanwhile_is_not_to_come() -> None:
    found = told((waiting(),), facts=GateFacts(told=Told(said=said())))

    assert found.will_not_get[0] == f"confirmation ({words_ahead(Reason.ALREADY_TOLD)})"
