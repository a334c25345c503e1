"""What the topic `reminders` leads to: a message for each reminder handed over, and each clinic's morning."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chassis.delivery.consumer import Applied
from notifier.fanout.domain.mornings import Morning, TodaysVisit, day_lists, messages
from notifier.fanout.handle.entry import EntryStore, enter, look_in_turn, unknown
from notifier.gate.domain.modes import SendingMode
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.states import NotificationState
from notifier.values.kinds import PATIENT
from schemas.appointments import Status
from schemas.notifications import Kind
from schemas.reminders import ReminderDue
from schemas.wire import notification_id


@dataclass(frozen=True, slots=True)
class DueSeen:
    """A reminder handed over, and the id of the event that said so."""

    due: ReminderDue
    caused_by: str


@dataclass(frozen=True, slots=True)
class Ahead:
    """One reminder that is still to be handed over."""

    reminder_id: UUID
    due: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class PlanSeen:
    """What is still to come of a visit, as of one version of it."""

    appointment_id: UUID
    version: int
    schedule_gen: int
    ahead: tuple[Ahead, ...]


@dataclass(frozen=True, slots=True)
class GoneSeen:
    """Reminders of a visit that will not come after all."""

    appointment_id: UUID
    reminder_ids: tuple[UUID, ...]


type Seen = DueSeen | PlanSeen | GoneSeen | Morning


@dataclass(frozen=True, slots=True)
class Expected:
    """A visit of today as fan-out keeps it, whoever is on the way or here already."""

    status: Status
    visit: TodaysVisit


class RemindersStore(EntryStore, Protocol):
    """As `EntryStore`, and what the reminders worker has planned."""

    async def keep_plans(self, plans: Collection[PlanSeen]) -> None:
        """Keep what is still to come of each visit, unless a newer version's plan is there."""

    async def drop_from_plans(self, gone: Collection[GoneSeen]) -> None:
        """Take these reminders off the plans."""

    async def expected(self, mornings: Sequence[Morning], now: datetime) -> Mapping[int, Sequence[Expected]]:
        """Return the visits of each clinic's day that are booked or begun, by the place of its morning."""

    async def forget_plans(self, mornings: Sequence[Morning]) -> None:
        """Forget what was planned for visits of these clinics that are over for days."""


async def on_reminders(store: RemindersStore, events: Sequence[Seen], sending: SendingMode, now: datetime) -> Applied:
    """Keep the plans, turn each reminder handed over into one message (R23), and begin each clinic's day (R19).

    Plans come first and mornings last, so that a morning knows all that its batch says. A repeat changes nothing.
    """
    plans = {one.appointment_id: one for one in events if isinstance(one, PlanSeen)}
    gone = [one for one in events if isinstance(one, GoneSeen)]
    due = {place: _reminder(one, now) for place, one in enumerate(events) if isinstance(one, DueSeen)}
    mornings = list({(one.clinic_id, one.day): one for one in events if isinstance(one, Morning)}.values())
    if plans:
        await store.keep_plans(plans.values())
    if gone:
        await store.drop_from_plans(gone)
    new = await unknown(store, due.values())
    if new:
        about = {one.appointment_id for one in new if one.appointment_id}
        await enter(store, new, sending, now, await look_in_turn(store, about))
    if mornings:
        await _begin(store, mornings, sending, now)
    return Applied(repeat=_but_the_first(due, {one.notification_id for one in new}))


def _but_the_first(due: Mapping[int, Notification], new: set[UUID]) -> list[int]:
    """Return the places of reminders that were known, or are named again in this batch."""
    repeat: list[int] = []
    for place, one in due.items():
        if one.notification_id in new:
            new.discard(one.notification_id)
        else:
            repeat.append(place)
    return repeat


async def _begin(store: RemindersStore, mornings: Sequence[Morning], sending: SendingMode, now: datetime) -> None:
    """Write to the patients of today who have not been reminded, and give each provider the list of his day (D18)."""
    expected = await store.expected(mornings, now)
    today = {one.visit.appointment_id for visits in expected.values() for one in visits}
    view = await look_in_turn(store, today)
    asked: list[Notification] = []
    lists = []
    for place, morning in enumerate(mornings):
        here = expected.get(place, ())
        asked += messages(morning, [one.visit for one in here if one.status is Status.BOOKED], now)
        rows = [view.visits[one.visit.appointment_id] for one in here if one.visit.appointment_id in view.visits]
        lists += day_lists(morning, rows, now)
    new = await unknown(store, [*asked, *(one.notification for one in lists)])
    await enter(store, new, sending, now, view)
    fresh = {one.notification_id for one in new if one.state is NotificationState.ACCEPTED}
    await store.deliver_in_app([one for one in lists if one.notification.notification_id in fresh], now)
    await store.forget_plans(mornings)


def _reminder(seen: DueSeen, now: datetime) -> Notification:
    due = seen.due
    return Notification(
        notification_id=notification_id((due.reminder_id,), PATIENT, Kind.REMINDER),
        kind=Kind.REMINDER,
        recipient=PATIENT,
        appointment_id=due.appointment_id,
        schedule_gen=due.schedule_gen,
        reminder_id=due.reminder_id,
        caused_by=seen.caused_by,
        state=NotificationState.QUEUED,
        lane=None,
        not_after=due.not_after,
        next_attempt_at=now,
    )
