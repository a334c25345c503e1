"""The question that people ask of a timeline: what did the patient get, or why did he get nothing?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from notifier.ledger.domain.plain_english import CHANNELS, DELIVERIES, reason_words
from notifier.ledger.domain.states import NotificationState
from notifier.timeline.domain.entries import ReminderFact, VersionFact, wall
from notifier.timeline.domain.sent_messages import MessageFact, to_patient, waits
from schemas.notifications import DeliveryState


@dataclass(frozen=True, slots=True)
class WhatPatientGot:
    """What the patient got, as far as the parts that answered know.

    Attributes:
        got: Messages that a carrier accepted and nobody reported as lost.
    """

    got: tuple[str, ...]
    may_have_got: tuple[str, ...]
    to_come: tuple[str, ...]
    did_not_get: tuple[str, ...]
    text: str


def answer(
    messages: Sequence[MessageFact],
    reminders: Sequence[ReminderFact],
    history: Sequence[VersionFact],
    missing: Sequence[str],
    zone: ZoneInfo,
) -> WhatPatientGot:
    """Return the answer."""
    patients = to_patient(messages)
    rules = {one.reminder_id: one.rule for one in reminders}
    got, maybe, to_come, lost = [], [], [], []
    for one in patients:
        name = f"{one.name} {rules[one.reminder_id]}" if one.reminder_id in rules else one.name
        match one.state:
            case NotificationState.ACCEPTED if one.delivery_state is not DeliveryState.UNDELIVERED:
                got.append(_got(one, name, zone))
            case NotificationState.ACCEPTED:
                lost.append(f"{name} ({DELIVERIES[one.delivery_state]})")
            case NotificationState.UNKNOWN:
                maybe.append(f"{name} by {CHANNELS[one.channel] if one.channel else 'an unknown channel'}")
            case NotificationState.QUEUED:
                to_come.append(f"{name}, which {waits(one, zone)}")
            case NotificationState.SENDING:
                to_come.append(f"{name}, which is being sent")
            case NotificationState.SKIPPED | NotificationState.FAILED:
                lost.append(f"{name} ({reason_words(one.reason, one.kind)})")
    handed_over = {one.reminder_id for one in patients}
    for reminder in reminders:
        if reminder.reminder_id in handed_over:
            continue
        last = reminder.stages[-1]
        if last.status == "SCHEDULED":
            to_come.append(f"reminder {reminder.rule}{_at(reminder.due, zone)}")
        else:
            lost.append(f"reminder {reminder.rule} ({reason_words(last.reason)})")
    text = _sentence(got, maybe, to_come, lost, history, missing)
    return WhatPatientGot(tuple(got), tuple(maybe), tuple(to_come), tuple(dict.fromkeys(lost)), text)


def _got(one: MessageFact, name: str, zone: ZoneInfo) -> str:
    by = f" by {CHANNELS[one.channel]}" if one.channel else ""
    return f"{name}{by}{_at(one.accepted_at or one.changed_at, zone)}, {DELIVERIES[one.delivery_state]}"


def _at(at: datetime | None, zone: ZoneInfo) -> str:
    return f" at {wall(at, zone)}" if at else ""


def _sentence(
    got: list[str],
    maybe: list[str],
    to_come: list[str],
    lost: list[str],
    history: Sequence[VersionFact],
    missing: Sequence[str],
) -> str:
    parts = [f"The patient got: {'; '.join(got)}." if got else "The patient got nothing so far." if maybe or to_come
             else "The patient got nothing."]  # fmt: skip
    if maybe:
        parts.append(f"May have got: {'; '.join(maybe)}.")
    if to_come:
        parts.append(f"Still to come: {'; '.join(to_come)}.")
    if lost:
        parts.append(f"Not sent: {'; '.join(dict.fromkeys(lost))}.")
    if not (got or maybe or to_come or lost) and history:
        parts.append(f"No message was ever asked for; the visit is {history[-1].status}.")
    if missing:
        parts.append(f"This may not be all: {', '.join(missing)} did not answer.")
    return " ".join(parts)
