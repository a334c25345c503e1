"""The question that people ask of a timeline: what did the patient get, or why did he get nothing?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from notifier.gate.domain.decision import Decision, Send, Skip, Wait
from notifier.ledger.domain.plain_english import CHANNELS, DELIVERIES, reason_words, words_ahead
from notifier.ledger.domain.states import NotificationState
from notifier.timeline.domain.entries import ReminderFact, VersionFact, wall
from notifier.timeline.domain.outlook import Hold, Outlook
from notifier.timeline.domain.sent_messages import MessageFact, to_patient, waits
from schemas.notifications import DeliveryState
from schemas.reminders import Reason


@dataclass(frozen=True, slots=True)
class WhatPatientGot:
    """What the patient got, as far as the parts that answered know.

    Attributes:
        got: Messages that a carrier accepted and nobody reported as lost.
        to_come: What is planned or waits, and would be let out as things stand.
        will_not_get: What is planned or waits, and would not be, with the reason.
        held: Set while sending is held: nothing of what is to come leaves before that is lifted.
    """

    got: tuple[str, ...]
    may_have_got: tuple[str, ...]
    to_come: tuple[str, ...]
    did_not_get: tuple[str, ...]
    text: str
    will_not_get: tuple[str, ...] = ()
    held: Hold | None = None


@dataclass(slots=True)
class _Sorted:
    """Each message by what became of it, in the order of asking."""

    got: list[str] = field(default_factory=list)
    maybe: list[str] = field(default_factory=list)
    to_come: list[str] = field(default_factory=list)
    will_not: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def ahead(self, name: str, decision: Decision | None, otherwise: str, one: MessageFact | None = None) -> None:
        """Sort what is planned or waits by what the gate would say; `otherwise`: said if it would be let out."""
        if isinstance(decision, Skip):
            told_by = one.told_by if one and decision.reason is Reason.ALREADY_TOLD else ""
            words = words_ahead(decision.reason, one.kind if one else None)
            self.will_not.append(f"{name} ({words}{f': {told_by}' if told_by else ''})")
        else:
            self.to_come.append(otherwise)


def answer(
    messages: Sequence[MessageFact],
    reminders: Sequence[ReminderFact],
    history: Sequence[VersionFact],
    missing: Sequence[str],
    zone: ZoneInfo,
    outlook: Outlook | None = None,
) -> WhatPatientGot:
    """Return the answer.

    Args:
        outlook: What the gate sees now; without it what is planned or waits is told as to come.
    """
    patients = to_patient(messages)
    rules = {one.reminder_id: one.rule for one in reminders}
    told = _Sorted()
    for one in patients:
        name = f"{one.name} {rules[one.reminder_id]}" if one.reminder_id in rules else one.name
        _sort_message(told, one, name, zone, outlook)
    handed_over = {one.reminder_id for one in patients}
    for reminder in (each for each in reminders if each.reminder_id not in handed_over):
        last, name = reminder.stages[-1], f"reminder {reminder.rule}"
        if last.status == "SCHEDULED":
            when = f"{name}{_at(reminder.due, zone)}"
            of_it = (reminder.schedule_gen, reminder.due, reminder.not_after)
            told.ahead(when, outlook.of_reminder(*of_it) if outlook else None, when)
        else:
            told.lost.append(f"{name} ({reason_words(last.reason)})")
    held = outlook.hold if outlook else None
    return WhatPatientGot(
        tuple(told.got),
        tuple(told.maybe),
        tuple(told.to_come),
        tuple(dict.fromkeys(told.lost)),
        _sentence(told, held, history, missing, zone),
        tuple(told.will_not),
        held,
    )


def _sort_message(told: _Sorted, one: MessageFact, name: str, zone: ZoneInfo, outlook: Outlook | None) -> None:
    match one.state:
        case NotificationState.ACCEPTED if one.delivery_state is not DeliveryState.UNDELIVERED:
            told.got.append(_got(one, name, zone))
        case NotificationState.ACCEPTED:
            told.lost.append(f"{name} ({DELIVERIES[one.delivery_state]})")
        case NotificationState.UNKNOWN:
            by = CHANNELS[one.channel] if one.channel else "an unknown channel"
            told.maybe.append(f"{name} by {by}{one.together}")
        case NotificationState.QUEUED:
            decision = outlook.of_message(one.notification_id, one.next_attempt_at) if outlook else None
            waits_for_us = f"{name}, which {waits(one, zone)}"
            held = _once_lifted(name, decision, zone) if outlook and outlook.hold else waits_for_us
            told.ahead(name, decision, held, one)
        case NotificationState.SENDING:
            told.to_come.append(f"{name}, which is being sent")
        case NotificationState.SKIPPED | NotificationState.FAILED:
            told.lost.append(f"{name} ({one.why})")


def _got(one: MessageFact, name: str, zone: ZoneInfo) -> str:
    by = f" by {CHANNELS[one.channel]}" if one.channel else ""
    return f"{name}{by}{_at(one.accepted_at or one.changed_at, zone)}, {DELIVERIES[one.delivery_state]}{one.together}"


def _once_lifted(name: str, decision: Decision | None, zone: ZoneInfo) -> str:
    """Return how a message that is held would leave, and until when it may."""
    match decision:
        case Send(route=route, not_after=not_after):
            return f"{name} by {CHANNELS[route.channel]}, until {wall(not_after, zone)}"
        case Wait(channel=channel, not_after=not_after):
            return f"{name} by {CHANNELS[channel]}, until {wall(not_after, zone)}"
        case _:
            return name


def _at(at: datetime | None, zone: ZoneInfo) -> str:
    return f" at {wall(at, zone)}" if at else ""


def _sentence(
    told: _Sorted, held: Hold | None, history: Sequence[VersionFact], missing: Sequence[str], zone: ZoneInfo
) -> str:
    open_ = told.maybe or told.to_come
    parts = [f"The patient got: {'; '.join(told.got)}." if told.got else "The patient got nothing so far." if open_
             else "The patient got nothing."]  # fmt: skip
    if told.maybe:
        parts.append(f"May have got: {'; '.join(told.maybe)}.")
    if held:
        parts.append(f"{held_words(held, zone)}.")
    if told.to_come:
        parts.append(f"{'Once that is lifted' if held else 'Still to come'}: {'; '.join(told.to_come)}.")
    if told.will_not:
        parts.append(f"Will not be sent, as things stand: {'; '.join(dict.fromkeys(told.will_not))}.")
    if told.lost:
        parts.append(f"Not sent: {'; '.join(dict.fromkeys(told.lost))}.")
    if not (told.got or open_ or told.lost or told.will_not) and history:
        parts.append(f"No message was ever asked for; the visit is {history[-1].status}.")
    if missing:
        parts.append(f"This may not be all: {', '.join(missing)} did not answer.")
    return " ".join(parts)


def held_words(held: Hold, zone: ZoneInfo) -> str:
    """Return that nothing leaves, since when and by whom, without a full stop."""
    where = f"at {held.clinic_id}" if held.clinic_id else "at every clinic without a mode of its own"
    since = f" since {wall(held.since, zone)}, by {held.by}" if held.since and held.by else " by the notifier's setting"
    return f"Sending is held (mode hold) {where}{since}"
