"""Which message told what another was to tell: whoever asks why that one was left out (ALREADY_TOLD) is named it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from notifier.ledger.domain.plain_english import CHANNELS
from notifier.ledger.domain.states import NotificationState
from notifier.timeline.domain.entries import ReminderFact, wall
from notifier.timeline.domain.sent_messages import SHORT_ID, MessageFact
from notifier.values.kinds import KINDS
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason

_NOON = time(12)


@dataclass(frozen=True, slots=True)
class TellerFact:
    """A message that told, or may have told, the recipient of another one about its visit; or a reminder that waits.

    Attributes:
        of: The message that it may have been in the place of.
        appointment_id: The visit that it was about: another one, if that takes the place of the visit (D37).
        at: When it was said, as far as is known.
    """

    of: str
    notification_id: str
    appointment_id: str
    kind: Kind
    state: NotificationState
    channel: Channel | None
    at: datetime
    reminder_id: str | None = None


def with_tellers(
    messages: Iterable[MessageFact],
    tellers: Sequence[TellerFact],
    reminders: Sequence[ReminderFact],
    appointment_id: str,
    zone: ZoneInfo,
) -> tuple[MessageFact, ...]:
    """Return the messages, each that need not be sent any more with what told the same instead.

    Args:
        tellers: Those of all messages, in the order in which they were said.
        appointment_id: The visit whose messages they are.
    """
    named = []
    for one in messages:
        found = _teller(one, [teller for teller in tellers if teller.of == one.notification_id], zone)
        if found is not None:
            words = _words(found, reminders, appointment_id, zone)
            ids = {"told_by": found.notification_id, "told_by_visit": found.appointment_id}
            named.append(replace(one, told_by=words, told_by_ids=ids))
        else:
            named.append(replace(one, told_by=_to_come(one, reminders, zone)))
    return tuple(named)


def _teller(one: MessageFact, tellers: Sequence[TellerFact], zone: ZoneInfo) -> TellerFact | None:
    """Return the last that was said before this one was left out, else the first after it.

    Of a message of the day it is a reminder, from the noon before on (D18).
    """
    if not _is_left_out(one):
        return tellers[-1] if tellers and one.state is NotificationState.QUEUED else None
    since = _noon_before(one.created_at, zone) if one.kind is Kind.TODAY else None
    counted = [teller for teller in tellers if since is None or teller.at >= since]
    before = [teller for teller in counted if teller.at <= one.changed_at]
    return before[-1] if before else next(iter(counted), None)


def _is_left_out(one: MessageFact) -> bool:
    return one.state is NotificationState.SKIPPED and one.reason == Reason.ALREADY_TOLD


def _noon_before(at: datetime, zone: ZoneInfo) -> datetime:
    return datetime.combine(at.astimezone(zone).date() - timedelta(days=1), _NOON, zone)


def _words(teller: TellerFact, reminders: Sequence[ReminderFact], appointment_id: str, zone: ZoneInfo) -> str:
    rule = next((f" {one.rule}" for one in reminders if one.reminder_id == teller.reminder_id), "")
    name = KINDS[teller.kind].words + rule
    visit = f", of visit {teller.appointment_id[:SHORT_ID]}" if teller.appointment_id != appointment_id else ""
    if teller.state is NotificationState.QUEUED:
        return f"{name}, which waits{visit}"
    if teller.state is NotificationState.SKIPPED:  # what is imported was told by whoever kept the visits before (D58)
        return f"whoever kept the visits before they were imported at {wall(teller.at, zone)}{visit}"
    by = f" by {CHANNELS[teller.channel]}" if teller.channel else ""
    return f"{name}{by} at {wall(teller.at, zone)}{visit}"


def _to_come(one: MessageFact, reminders: Sequence[ReminderFact], zone: ZoneInfo) -> str:
    """Return in words the reminder for which a message of the day is left out before the worker hands it over."""
    if one.kind is not Kind.TODAY or not _is_left_out(one):
        return ""
    ahead = [(reminder.due, reminder.rule) for reminder in reminders
             if reminder.due is not None and reminder.due >= one.created_at
             and _status_at(reminder, one.changed_at) == "SCHEDULED"]  # fmt: skip
    return f"reminder {min(ahead)[1]}, due at {wall(min(ahead)[0], zone)}" if ahead else ""


def _status_at(reminder: ReminderFact, at: datetime) -> str:
    """Return what the reminder was at an instant, however it ended."""
    return next((stage.status for stage in reversed(reminder.stages) if stage.at <= at), "")
