"""A clinic's morning (R19, D18): who is written to about a visit of today, and what each provider sees of his day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from notifier.gate.domain.visit import Visit
from notifier.inbox.domain import DayList
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.settlement import skip
from notifier.ledger.domain.states import NotificationState
from notifier.values.kinds import PATIENT, PROVIDER
from schemas.appointments import Status
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason
from schemas.wire import notification_id
from schemas.zones import zone_of

EXPECTED = frozenset({Status.BOOKED, Status.ARRIVED, Status.CHECKED_IN})
"""Who stands on a provider's list: those who will come and those who are there already."""

_NOON = time(12)


@dataclass(frozen=True, slots=True)
class Morning:
    """One clinic's day, begun.

    Attributes:
        not_after: Later nothing of it is sent any more (D20).
    """

    clinic_id: str
    day: date
    zone: str
    not_after: datetime
    caused_by: str

    @property
    def begins(self) -> datetime:
        """Midnight on the clinic's wall."""
        return self._wall(self.day, time(0))

    @property
    def ends(self) -> datetime:
        """The midnight after it; a day of 23 or 25 hours ends where the next one begins."""
        return self._wall(self.day + timedelta(days=1), time(0))

    @property
    def noon_before(self) -> datetime:
        """Since when a reminder counts as one of today's visit (D18)."""
        return self._wall(self.day - timedelta(days=1), _NOON)

    def _wall(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, zone_of(self.zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class TodaysVisit:
    """A visit of today as fan-out keeps it.

    Attributes:
        told: A reminder of it was accepted since the noon before, or may have been, or still waits in the ledger.
        to_come: The reminders worker has yet to hand one over, before the visit starts.
    """

    appointment_id: UUID
    schedule_gen: int
    starts_at: datetime
    told: bool
    to_come: bool


def messages(morning: Morning, visits: Iterable[TodaysVisit], now: datetime) -> list[Notification]:
    """Return one message for each visit that is still ahead: queued, or skipped if its patient knows (D18).

    The id is of the visit and the day, so a visit moved within the day is not announced again by it.
    """
    made = []
    for visit in visits:
        if visit.starts_at <= now:
            continue
        message = _message(morning, visit, now)
        known = visit.told or visit.to_come
        made.append(skip(message, Reason.ALREADY_TOLD) if known else message)
    return made


def day_lists(morning: Morning, visits: Sequence[Visit], now: datetime) -> list[DayList]:
    """Return each known provider's list of the day, as the gate sees it now; of nobody who has no visit.

    Past the morning's deadline the lists are skipped as TOO_LATE (D20).
    """
    by_provider: dict[UUID, list[Visit]] = {}
    for visit in sorted(visits, key=_order):
        if visit.provider_id and visit.provider_name is not None and _is_of(morning, visit):
            by_provider.setdefault(visit.provider_id, []).append(visit)
    return [
        DayList(_list(morning, provider, now), provider, morning.day, tuple(by_provider[provider]))
        for provider in sorted(by_provider)
    ]


def _is_of(morning: Morning, visit: Visit) -> bool:
    today = visit.starts_at is not None and morning.begins <= visit.starts_at < morning.ends
    return today and visit.clinic_id == morning.clinic_id and visit.status in EXPECTED


def _order(visit: Visit) -> tuple[datetime, UUID]:
    return visit.starts_at or datetime.max.replace(tzinfo=UTC), visit.appointment_id


def _message(morning: Morning, visit: TodaysVisit, now: datetime) -> Notification:
    return Notification(
        notification_id=notification_id((visit.appointment_id, morning.day.isoformat()), PATIENT, Kind.TODAY),
        kind=Kind.TODAY,
        recipient=PATIENT,
        appointment_id=visit.appointment_id,
        clinic_id=morning.clinic_id,
        schedule_gen=visit.schedule_gen,
        reminder_id=None,
        caused_by=morning.caused_by,
        state=NotificationState.QUEUED,
        lane=None,
        not_after=min(morning.not_after, visit.starts_at),
        next_attempt_at=now,
    )


def _list(morning: Morning, provider_id: UUID, now: datetime) -> Notification:
    cause = (morning.clinic_id, morning.day.isoformat(), provider_id)
    late = now > morning.not_after
    given = Notification(
        notification_id=notification_id(cause, PROVIDER, Kind.PROVIDER_DAY),
        kind=Kind.PROVIDER_DAY,
        recipient=PROVIDER,
        appointment_id=None,
        clinic_id=morning.clinic_id,
        schedule_gen=0,
        reminder_id=None,
        caused_by=morning.caused_by,
        state=NotificationState.QUEUED if late else NotificationState.ACCEPTED,
        lane=Channel.IN_APP,
        not_after=morning.not_after,
        next_attempt_at=now,
        version=0 if late else 1,
        accepted_at=None if late else now,
    )
    return skip(given, Reason.TOO_LATE) if late else given
