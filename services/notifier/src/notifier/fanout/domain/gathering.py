"""A patient's visits of a day that were moved together are told together, though their events are read one by one.

Booking commits them at once, and the gate shows it: a visit of the same day stands at another time than the version
that was read last. Its event is on the way, so the news that is here waits for it, and leaves with it (decision 0050).
A visit beside which none was moved waits for nothing.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from notifier.gate.domain.told import View
from notifier.gate.domain.visit import Visit
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.states import NotificationState
from notifier.values.kinds import PATIENT
from schemas.appointments import Status
from schemas.notifications import Kind

AWAITS = timedelta(seconds=2)
"""How long news waits at most for an event that is on the way; less than a lane looks ahead for what leaves with it."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A visit whose patient is to hear of its new time, and where he was told that it stands."""

    appointment_id: UUID
    patient_id: UUID
    clinic_id: str
    stood_at: datetime


@dataclass(frozen=True, slots=True)
class Beside:
    """Another visit of that patient and clinic, less than a day from where the moved one stood, as it was read last."""

    appointment_id: UUID
    other_id: UUID
    starts_at: datetime


def moved(asked: Iterable[Notification], view: View) -> list[Moved]:
    """Return the visits of which a patient is to hear, as soon as can be, that they are moved."""
    found = []
    for one in asked:
        fresh = one.state is NotificationState.QUEUED and not one.attempts and one.replaces is None
        if not fresh or one.kind is not Kind.MOVED or one.appointment_id is None:
            continue
        said = view.last(one.appointment_id, PATIENT, one.recipient_id, one.notification_id)
        who, visit = view.addressee(one.appointment_id, PATIENT, one.recipient_id), view.visits.get(one.appointment_id)
        if said is not None and said.starts_at is not None and who is not None and visit is not None:
            found.append(Moved(one.appointment_id, who, said.clinic_id or visit.clinic_id, said.starts_at))
    return found


def gathered(
    asked: Iterable[Notification], beside: Collection[Beside], visits: Mapping[UUID, Visit], now: datetime
) -> list[Notification]:
    """Return the messages, each that has company on the way waiting for it.

    Args:
        visits: The visits beside, as they are committed now.
    """
    company = {one.appointment_id for one in beside if _is_on_the_way(one, visits.get(one.other_id))}
    return [
        one.but(next_attempt_at=max(one.next_attempt_at, now + AWAITS))
        if one.appointment_id in company and one.kind is Kind.MOVED and one.recipient == PATIENT
        else one
        for one in asked
    ]


def _is_on_the_way(beside: Beside, visit: Visit | None) -> bool:
    return visit is not None and visit.status is Status.BOOKED and visit.starts_at != beside.starts_at
