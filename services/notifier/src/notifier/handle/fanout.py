"""Fan-out: what happened to a visit becomes what is to be said to whom, each thing once.

The story runs inside the batch's transaction and is safe to repeat: ids are deterministic, and an id that is
in the ledger already is left alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from notifier.domain.ledger import Notification
from notifier.domain.modes import SendingMode
from notifier.domain.notices import NEWS, REBOOKED_WITHIN, may_take_place, notices, supersede, take_place
from notifier.domain.states import State
from notifier.domain.transitions import Folded, Held, Kept, Transition, VisitReading, fold
from notifier.handle.entering import Counted, EntryStore, enter, unknown
from schemas.appointments import Mode
from schemas.notifications import Kind


@dataclass(frozen=True, slots=True)
class Twin:
    """Another visit of the same patient, clinic and service as one that was booked just now.

    Attributes:
        appointment_id: The one that was booked.
        stands: The other is booked, and was before; its cancellation may be on its way.
    """

    appointment_id: UUID
    stands: bool


class FanoutStore(EntryStore, Protocol):
    """The notifier's tables and the gate, as one transaction sees them. Every method is set-based."""

    async def held(self, appointment_ids: Collection[str]) -> Mapping[str, Held]:
        """Return the newest versions known of these appointments."""

    async def keep(self, newest: Collection[Kept]) -> None:
        """Keep these versions as the newest."""

    async def waiting(self, appointment_ids: Collection[UUID]) -> Sequence[Notification]:
        """Lock and return the queued messages to these appointments' patients, in the order of their ids."""

    async def twins(self, appointment_ids: Collection[UUID], within_s: float, now: datetime) -> Sequence[Twin]:
        """Return the twins ahead of these booked appointments that stand, or were cancelled `within_s` of them."""

    async def take_turns(self, patient_ids: Collection[str]) -> None:
        """Wait until no other transaction folds messages of these patients; until the end of this one."""

    async def rebooked(
        self, patient_ids: Collection[str], within_s: float
    ) -> Sequence[tuple[Notification, Notification]]:
        """Lock and return the (cancellation, confirmation) of twins that turned within `within_s` and still wait."""

    async def change(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Write these messages back: kind, state, reason, whose place it takes, next attempt."""


async def on_appointments(
    store: FanoutStore, events: Sequence[VisitReading], sending: SendingMode, now: datetime
) -> Counted:
    """Turn every transition of a batch into its notices (R20, R22, R27, R28), and fold those that are one (D37)."""
    held = await store.held({event.appointment_id for event in events})
    folded = fold(events, held)
    await store.keep(folded.newest.values())
    if folded.happened:
        await _tell_of(store, folded, held, sending, now)
    return Counted(folded.applied, folded.repeat, folded.stale)


async def _tell_of(
    store: FanoutStore, folded: Folded, held: Mapping[str, Held], sending: SendingMode, now: datetime
) -> None:
    made = await unknown(store, [notice for one in folded.happened for notice in notices(one, now)])
    turned = await _take_turns(store, folded, now)
    made = [_after_the_twin(one, turned.wait, now) for one in made]
    met_before = {UUID(known) for known in held}
    about = {one.appointment_id for one in made if one.kind in NEWS and one.state is State.QUEUED}
    older = await store.waiting({one for one in about if one in met_before}) if about & met_before else ()
    made, superseded = supersede(made, older)
    await enter(store, made, sending, now)
    changed = [*superseded, *await _rebooked(store, turned.patients, now)]
    if changed:
        await store.change(changed, now)
        await store.publish([one for one in changed if one.state is State.SKIPPED], now)


@dataclass(frozen=True, slots=True)
class _Turned:
    """Patients of whom a cancellation and a booking may be one move, and bookings that wait to see."""

    patients: frozenset[str]
    wait: frozenset[UUID]


async def _take_turns(store: FanoutStore, folded: Folded, now: datetime) -> _Turned:
    """Find whose messages may be folded, and let no other transaction fold them meanwhile."""
    live = [one for one in folded.happened if one.visit.mode is Mode.LIVE]
    booked = {
        UUID(one.visit.appointment_id): one.visit.patient_id for one in live if one.transition is Transition.BOOKED
    }
    patients = {one.visit.patient_id for one in live if one.transition is Transition.CANCELLED}
    twins = await store.twins(booked.keys(), REBOOKED_WITHIN.total_seconds(), now) if booked else ()
    patients |= {booked[twin.appointment_id] for twin in twins}
    if patients:
        await store.take_turns(patients)
    return _Turned(frozenset(patients), frozenset(twin.appointment_id for twin in twins if twin.stands))


def _after_the_twin(notice: Notification, wait: Collection[UUID], now: datetime) -> Notification:
    """Let a confirmation wait while the patient's other visit may be about to be cancelled for this one (D37)."""
    waits = notice.kind is Kind.CONFIRMATION and notice.state is State.QUEUED and notice.appointment_id in wait
    return replace(notice, next_attempt_at=now + REBOOKED_WITHIN) if waits else notice


async def _rebooked(store: FanoutStore, patients: Collection[str], now: datetime) -> list[Notification]:
    """Return what changes by making one move of each cancelled visit and the one booked in its place (D37)."""
    if not patients:
        return []
    changed: dict[UUID, Notification] = {}
    for cancelled, booking in await store.rebooked(patients, REBOOKED_WITHIN.total_seconds()):
        taken = cancelled.notification_id in changed or booking.notification_id in changed
        if not taken and may_take_place(cancelled, booking):
            for one in take_place(cancelled, booking, now):
                changed[one.notification_id] = one
    return list(changed.values())
