"""Fan-out: what happened to a visit becomes what is to be said to whom, each thing once.

Both stories run inside the batch's transaction and are safe to repeat: ids are deterministic, and an id
that is in the ledger already is left alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog

from notifier.domain.gate import Send, decide
from notifier.domain.ledger import PATIENT, PROVIDER, Notification
from notifier.domain.modes import SendingMode
from notifier.domain.settle import skip
from notifier.domain.states import State
from notifier.domain.transitions import NOTICES, Happened, Held, VisitReading, fold
from notifier.domain.visits import Preferences, Visit
from schemas.appointments import Mode
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason, ReminderDue
from schemas.wire import event_id, notification_id

log: structlog.stdlib.BoundLogger = structlog.get_logger()

IDS_PER_LINE = 20
"""Enough to start looking with; the rest is in the ledger."""


@dataclass(frozen=True, slots=True)
class DueSeen:
    """A reminder handed over, and the id of the event that said so."""

    due: ReminderDue
    caused_by: str


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of a batch's events."""

    applied: int
    repeat: int
    stale: int


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """A provider's in-app notice: what it says is the visit as the gate gave it."""

    notification: Notification
    visit: Visit


class FanoutStore(Protocol):
    """The notifier's tables and the gate, as one transaction sees them. Every method is set-based."""

    async def held(self, appointment_ids: Collection[str]) -> Mapping[str, Held]:
        """Return the newest versions known of these appointments."""

    async def keep(self, newest: Collection[VisitReading]) -> None:
        """Keep these versions as the newest."""

    async def known(self, notification_ids: Collection[UUID]) -> Collection[UUID]:
        """Return those that are in the ledger already."""

    async def gate(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Visit]:
        """Read the send gate, as a statement of its own."""

    async def preferences(self, patient_ids: Collection[UUID]) -> Mapping[UUID, Preferences]:
        """Return what these patients have said about channels."""

    async def insert(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Insert each notification, or nothing if its id is there."""

    async def deliver_in_app(self, entries: Sequence[InboxEntry], now: datetime) -> None:
        """Append to the providers' inboxes, numbered under each provider's row lock."""

    async def publish(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Put these outcomes into the outbox."""


async def on_appointments(
    store: FanoutStore, events: Sequence[VisitReading], sending: SendingMode, now: datetime
) -> Counted:
    """Turn every transition of a batch into its notices (R20, R22)."""
    folded = fold(events, await store.held({event.appointment_id for event in events}))
    await store.keep(folded.newest.values())
    asked = [notice for happened in folded.happened for notice in _notices(happened, now)]
    await _enter(store, asked, sending, now)
    return Counted(folded.applied, folded.repeat, folded.stale)


async def on_due(store: FanoutStore, events: Sequence[DueSeen], sending: SendingMode, now: datetime) -> Counted:
    """Turn every reminder handed over into one message; a repeat of it changes nothing (R23)."""
    asked = {event.due.reminder_id: _reminder(event, now) for event in reversed(events)}
    entered = await _enter(store, list(asked.values()), sending, now)
    return Counted(entered, len(events) - entered, 0)


async def _enter(store: FanoutStore, asked: Sequence[Notification], sending: SendingMode, now: datetime) -> int:
    """Write new notifications down as the gate sees them now; return how many were new."""
    if not asked:
        return 0
    known = await store.known({one.notification_id for one in asked})
    new = list({one.notification_id: one for one in asked if one.notification_id not in known}.values())
    if not new:
        return 0
    visits = await store.gate({one.appointment_id for one in new})
    preferences = await store.preferences({visit.patient_id for visit in visits.values()})
    entered: list[Notification] = []
    in_app: list[InboxEntry] = []
    for one in new:
        visit = visits.get(one.appointment_id)
        said = preferences.get(visit.patient_id) if visit else None
        judged = _judge(one, visit, said, sending, now)
        entered.append(judged)
        if visit and judged.state is State.ACCEPTED:
            in_app.append(InboxEntry(judged, visit))
    await store.insert(entered, now)
    await store.deliver_in_app(in_app, now)
    await store.publish([one for one in entered if one.version], now)
    _tell(entered)
    return len(new)


def _judge(
    asked: Notification, visit: Visit | None, said: Preferences | None, sending: SendingMode, now: datetime
) -> Notification:
    """Return the notification accepted (in-app), queued for a lane, or skipped with its reason."""
    if asked.state is not State.QUEUED:
        return asked
    decision = sending.apply(decide(asked.asked, visit, said, now))
    if not isinstance(decision, Send):
        return skip(asked, decision.reason)
    routed = replace(asked, lane=decision.route.channel, not_after=decision.not_after)
    if decision.route.channel is Channel.IN_APP:
        return replace(routed, state=State.ACCEPTED, version=1)
    return routed


def _notices(happened: Happened, now: datetime) -> list[Notification]:
    """Return the notices of one transition; for imported history they are born skipped (D43)."""
    visit = happened.visit
    appointment = UUID(visit.appointment_id)
    imported = visit.mode is Mode.BACKFILL
    notices = []
    for kind in NOTICES[happened.transition]:
        recipient = PROVIDER if kind is Kind.PROVIDER_BOOKED else PATIENT
        cause = (appointment, visit.schedule_gen, happened.transition.value)
        notice = Notification(
            notification_id=notification_id(cause, recipient, kind),
            kind=kind,
            recipient=recipient,
            appointment_id=appointment,
            schedule_gen=visit.schedule_gen,
            reminder_id=None,
            caused_by=str(event_id(appointment, visit.version)),
            state=State.QUEUED,
            lane=None,
            not_after=visit.starts_at,
            next_attempt_at=now,
        )
        notices.append(skip(notice, Reason.BACKFILL) if imported else notice)
    return notices


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
        state=State.QUEUED,
        lane=None,
        not_after=due.not_after,
        next_attempt_at=now,
    )


def _tell(entered: Sequence[Notification]) -> None:
    """Log what a batch made, and warn of providers nobody knows (R21)."""
    log.info("notifications.entered", count=len(entered), states=_count(entered))
    strangers = [one for one in entered if one.reason is Reason.UNKNOWN_PROVIDER]
    if strangers:
        log.warning(
            "notices.unknown_provider",
            count=len(strangers),
            appointment_ids=[str(one.appointment_id) for one in strangers[:IDS_PER_LINE]],
            hint="the booking names no provider, or one nobody registered; no notice was given",
        )


def _count(entered: Sequence[Notification]) -> dict[str, int]:
    states = [one.state.value for one in entered]
    return {state: states.count(state) for state in sorted(set(states))}
