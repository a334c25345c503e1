"""Fan-out: what happened to a visit becomes what is to be said to whom, each thing once.

The story runs inside the batch's transaction and is safe to repeat: ids are deterministic, and an id that is
in the ledger already is left alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chassis.delivery.consumer import Applied
from notifier.fanout.domain.notices import may_take_place, messages_for, supersede, take_place
from notifier.fanout.domain.transitions import Folded, Held, Kept, Transition, VisitReading, fold
from notifier.fanout.handle.entry import EntryStore, enter, unknown
from notifier.gate.domain.modes import SendingMode
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.states import NotificationState
from notifier.values.kinds import KINDS, REBOOKED_WITHIN
from schemas.appointments import IngestMode, Status
from schemas.notifications import Kind


@dataclass(frozen=True, slots=True)
class Twin:
    """Two visits of the same patient, clinic and service, the first of which turned just now."""

    appointment_id: UUID
    other_id: UUID
    status: Status
    other_status: Status

    @property
    def stands(self) -> bool:
        """Say whether the other one is booked since before; its cancellation may be on its way."""
        return self.status is self.other_status is Status.BOOKED

    @property
    def pair(self) -> tuple[UUID, UUID]:
        """The cancelled one and the booked one, where one is each."""
        ids = (self.appointment_id, self.other_id)
        return ids if self.status is Status.CANCELLED else ids[::-1]


class FanoutStore(EntryStore, Protocol):
    """The notifier's tables and the gate, as one transaction sees them. Every method is set-based."""

    async def held(self, appointment_ids: Collection[str]) -> Mapping[str, Held]:
        """Return the newest versions known of these appointments."""

    async def keep(self, newest: Collection[Kept]) -> None:
        """Keep these versions as the newest."""

    async def waiting(self, appointment_ids: Collection[UUID]) -> Sequence[Notification]:
        """Lock and return the queued messages to these appointments' patients, in the order of their ids."""

    async def twins(self, appointment_ids: Collection[UUID], within_s: float, now: datetime) -> Sequence[Twin]:
        """Return the twins that matter to these visits, booked or cancelled just now.

        To a booked one: those ahead that stand since before, and those cancelled `within_s` of it. To a
        cancelled one: those booked `within_s` of it. Soonest turned first.
        """

    async def take_turns(self, patient_ids: Collection[str]) -> None:
        """Wait until no other transaction folds messages of these patients; until the end of this one."""

    async def change(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Write these messages back: kind, state, reason, whose place it takes, next attempt."""


async def on_appointments(
    store: FanoutStore, events: Sequence[VisitReading], sending: SendingMode, now: datetime
) -> Applied:
    """Turn every transition of a batch into its notices (R20, R22, R27, R28), and fold those that are one (D37)."""
    held = await store.held({event.appointment_id for event in events})
    folded = fold(events, held)
    await store.keep(folded.newest.values())
    if folded.happened:
        await _enter_messages(store, folded, held, sending, now)
    return Applied(folded.repeat, folded.stale)


async def _enter_messages(
    store: FanoutStore, folded: Folded, held: Mapping[str, Held], sending: SendingMode, now: datetime
) -> None:
    made = await unknown(store, [notice for one in folded.happened for notice in messages_for(one, now)])
    twins = await _twins(store, folded, now)
    if wait := {twin.appointment_id for twin in twins if twin.stands}:
        made = [_after_the_twin(one, wait, now) for one in made]
    met = set(map(UUID, held))
    news = [one.appointment_id for one in made if KINDS[one.kind].is_news and one.state is NotificationState.QUEUED]
    about = {one for one in news if one in met}
    made, superseded = supersede(made, await store.waiting(about) if about else ())
    await enter(store, made, sending, now)
    changed = [*superseded, *await _rebooked(store, [twin.pair for twin in twins if not twin.stands], now)]
    if changed:
        await store.change(changed, now)
        await store.publish([one for one in changed if one.state is NotificationState.SKIPPED], now)


async def _twins(store: FanoutStore, folded: Folded, now: datetime) -> Sequence[Twin]:
    """Return the visits whose messages may be one, and let no other transaction fold those patients' meanwhile."""
    within_s = REBOOKED_WITHIN.total_seconds()
    booked: dict[UUID, str] = {}
    cancelled: dict[UUID, str] = {}
    turned = {Transition.BOOKED: booked, Transition.CANCELLED: cancelled}
    for one in folded.happened:
        if one.transition in turned and one.visit.mode is IngestMode.LIVE:
            turned[one.transition][one.appointment_id] = one.visit.patient_id
    maybe = {twin.appointment_id for twin in await store.twins(booked.keys(), within_s, now)} if booked else set()
    patients = {booked[one] for one in maybe} | set(cancelled.values())
    if not patients:
        return ()
    await store.take_turns(patients)
    return await store.twins(maybe | cancelled.keys(), within_s, now)


def _after_the_twin(notice: Notification, wait: Collection[UUID], now: datetime) -> Notification:
    """Let a confirmation wait while the patient's other visit may be about to be cancelled for this one (D37)."""
    waits = (
        notice.kind is Kind.CONFIRMATION and notice.state is NotificationState.QUEUED and notice.appointment_id in wait
    )
    return replace(notice, next_attempt_at=now + REBOOKED_WITHIN) if waits else notice


async def _rebooked(store: FanoutStore, pairs: Sequence[tuple[UUID, UUID]], now: datetime) -> list[Notification]:
    """Return what changes by making one move of each cancelled visit and the one booked in its place (D37)."""
    if not pairs:
        return []
    waiting = {
        (one.appointment_id, one.kind): one for one in await store.waiting({one for pair in pairs for one in pair})
    }
    changed: dict[UUID, Notification] = {}
    for gone, booked in pairs:
        cancelled, booking = waiting.get((gone, Kind.CANCELLED)), waiting.get((booked, Kind.CONFIRMATION))
        if (
            cancelled is None
            or booking is None
            or {cancelled.notification_id, booking.notification_id} & changed.keys()
        ):
            continue
        if may_take_place(cancelled, booking):
            for one in take_place(cancelled, booking, now):
                changed[one.notification_id] = one
    return list(changed.values())
