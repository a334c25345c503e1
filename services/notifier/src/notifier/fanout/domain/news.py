"""What brings the recipients of a visit up to date, and what is news because it happened.

A visit that is cancelled and one that is booked within two minutes of it, for the same, are one move (D37), whichever
comes first: a confirmation waits while another visit stands that may be about to be cancelled for it, and the
cancellation waits anyhow. The booking's message then tells of both, as one difference over two visits; so nothing is
left to say of the other one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from notifier.fanout.domain.versions import Happened, Happening, VisitReading
from notifier.gate.domain.told import View, difference, owner_of
from notifier.gate.domain.visit import Visit, email_of, mobile_of
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.settlement import skip, telling
from notifier.ledger.domain.states import NotificationState
from notifier.values.kinds import ENDS, KINDS, PATIENT, PROVIDER, REBOOKED_WITHIN
from schemas.appointments import IngestMode, Status
from schemas.notifications import Kind
from schemas.planning import barred_by
from schemas.reminders import Reason
from schemas.wire import event_id, notification_id

FOLLOW_UP_WITHIN = timedelta(hours=48)
"""After the visit's end: a late arrival undoes a no-show for 24 h (D19); after two days nobody wants to read of it.

That somebody was checked in uncleared is told as long: his provider may hear of it when the visit is over."""

STILL_THERE = timedelta(hours=1)
"""After the start of a visit without an end: later an arrival is no news."""

WAITS = frozenset({
    Reason.UNKNOWN_PATIENT, Reason.NO_CONTACT, Reason.UNKNOWN_PROVIDER,
    Reason.DECEASED, Reason.DO_NOT_CONTACT, Reason.NO_CONSENT, Reason.OPTED_OUT, Reason.CHANNELS_DISABLED,
})  # fmt: skip
"""Why a message waits until its deadline: for want of somebody or an address, or for a bar that may be lifted (D58)."""

_OF: Mapping[Happening, Kind] = {
    Happening.ARRIVED: Kind.PROVIDER_ARRIVED,
    Happening.NOSHOW: Kind.NO_SHOW,
    Happening.NOT_CLEARED: Kind.PROVIDER_NOT_CLEARED,
}


@dataclass(frozen=True, slots=True)
class News:
    """What one recipient is to be told of a visit as he has to see it.

    Attributes:
        by: The message that told him last; None: nothing did.
    """

    kind: Kind
    recipient: str
    recipient_id: UUID | None
    visit: Visit
    by: UUID | None


def news_of(visit: Visit, view: View, now: datetime) -> Iterator[News]:
    """Give what is to be said of a visit to its provider, its patient, and those whose it was.

    Nothing is to whom it is being said already: that message says it until he has it, or is on the work list.
    """
    for recipient in (PROVIDER, PATIENT):
        for who in (owner_of(visit, recipient), *view.told_before(visit, recipient)):
            telling = view.being_told(visit.appointment_id, recipient, who)
            if telling is not None and telling.is_news:
                continue
            seen = view.of(visit.appointment_id, recipient, who)
            said = view.last(visit.appointment_id, recipient, who)
            if seen is not None and (kind := difference(said, seen, recipient, now)):
                yield News(kind, recipient, who, seen, said.by if said else None)


def message(news: News, now: datetime, *, imported: bool = False) -> Notification:
    """Return the message, queued; one that takes something back waits, as another visit may be booked in its place.

    Of imported history it is born skipped, and counts as told: by whoever kept the visits before (D43, D58).
    """
    visit = news.visit
    content = (news.kind in ENDS, visit.starts_at.isoformat() if visit.starts_at else "", visit.clinic_id)
    cause = (visit.appointment_id, str(news.recipient_id or ""), str(news.by or ""), visit.schedule_gen, *content)
    made = _queued(
        notification_id(cause, news.recipient, NEWS), news.kind, visit.appointment_id, visit.clinic_id,
        visit.schedule_gen, str(event_id(visit.appointment_id, visit.version)), visit.starts_at, now,
    ).but(recipient_id=news.recipient_id, next_attempt_at=due(news.kind, now))  # fmt: skip
    return skip(telling(made, news.kind, visit, now), Reason.BACKFILL) if imported else made


NEWS = "news"
"""In the ids of messages that bring somebody up to date, for the kind: that may become another one at the gate."""


def renewed(held: Notification, news: News, now: datetime) -> Notification:
    """Return the open message of a recipient with what is to be said now; one that waited for somebody tries again."""
    waits = held.state is NotificationState.SKIPPED
    return held.but(
        recipient_id=news.recipient_id,
        kind=news.kind,
        state=NotificationState.QUEUED,
        reason=None if waits else held.reason,
        not_after=news.visit.starts_at,
        next_attempt_at=due(news.kind, now) if waits else held.next_attempt_at,
    )


def reopened(closed: Notification, made: Notification) -> Notification:
    """Return a message that was closed and told nobody, as one made of the same: it is so again, and tried anew."""
    return closed.but(
        recipient_id=made.recipient_id,
        kind=made.kind,
        state=NotificationState.QUEUED,
        reason=None,
        not_after=made.not_after,
        next_attempt_at=made.next_attempt_at,
        step_began_at=None,
        step_attempts=0,
        replaces=made.replaces,
    )


def awakened(held: Notification, now: datetime) -> Notification:
    """Return a reminder, or another message with an hour of its own, that waited for somebody: it tries again."""
    return held.but(state=NotificationState.QUEUED, reason=None, next_attempt_at=now)


def due(kind: Kind, now: datetime) -> datetime:
    """Return from when a message may leave."""
    return now + REBOOKED_WITHIN if kind is Kind.CANCELLED else now


def missing(visits: Iterable[Visit]) -> set[str]:
    """Return the patients and providers who cannot be told of these visits yet.

    Nobody knows them, or an address of theirs; or a patient is not to be written to.
    """
    patients = {str(one.patient_id) for one in visits if not _may_be_told(one)}
    return patients | {str(one.provider_id) for one in visits if one.provider_id and one.provider_name is None}


def _may_be_told(visit: Visit) -> bool:
    barred = barred_by(deceased=visit.deceased, do_not_contact=visit.do_not_contact, consent=visit.consent)
    return visit.registered and barred is None and bool(mobile_of(visit) or email_of(visit))


def is_another(held: Notification, judged: Notification) -> bool:
    """Say whether a judgement changes an open message. What waited for somebody in vain keeps that reason.

    It may wait for somebody else now, or longer.
    """
    if held.state is NotificationState.SKIPPED and judged.state is NotificationState.SKIPPED:
        return judged.reason in WAITS and _waits_for(judged) != _waits_for(held)
    return judged != held


def _waits_for(one: Notification) -> tuple[object, ...]:
    return one.reason, one.recipient_id, one.not_after, one.kind


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


def replaced_by(twins: Iterable[Twin]) -> Mapping[UUID, UUID]:
    """Return the booked visit → the cancelled one in whose place it is; each is of one pair at most."""
    found: dict[UUID, UUID] = {}
    for twin in twins:
        if not twin.stands:
            ids = (twin.appointment_id, twin.other_id)
            booked, cancelled = ids if twin.status is Status.BOOKED else ids[::-1]
            if booked not in found and cancelled not in found.values():
                found[booked] = cancelled
    return found


def as_twin(one: Notification, twins: Iterable[Twin], view: View, now: datetime) -> Notification:
    """Return a patient's confirmation as what it is to his other visits: it waits for one, or takes its place.

    One that was called for is left as it is.
    """
    about = one.appointment_id
    waits = one.state is NotificationState.QUEUED and not one.attempts and one.recipient == PATIENT
    if about is None or not waits or one.kind is not Kind.CONFIRMATION:
        return one
    other = replaced_by(twins).get(about)
    if other is not None and other != one.replaces and view.stood(other, one.recipient_id, now):
        return one.but(kind=Kind.MOVED, replaces=other, next_attempt_at=now)
    is_new = one.lane is None
    if is_new and any(twin.stands and twin.appointment_id == about for twin in twins):
        return one.but(next_attempt_at=now + REBOOKED_WITHIN)
    return one


def messages_of(happened: Sequence[Happened], now: datetime) -> list[Notification]:
    """Return the messages of what happened; of imported history they are born skipped (D43)."""
    made = []
    for one in happened:
        visit, kind = one.visit, _OF[one.what]
        cause = (visit.appointment_id, visit.schedule_gen, one.what.value)
        message = _queued(
            notification_id(cause, KINDS[kind].recipient, kind), kind, one.appointment_id, visit.clinic_id,
            visit.schedule_gen, str(event_id(visit.appointment_id, visit.version)), _not_after(one.what, visit), now,
        )  # fmt: skip
        made.append(skip(message, Reason.BACKFILL) if visit.mode is IngestMode.BACKFILL else message)
    return made


def _queued(
    notification_id: UUID,
    kind: Kind,
    appointment_id: UUID,
    clinic_id: str,
    schedule_gen: int,
    caused_by: str,
    not_after: datetime | None,
    now: datetime,
) -> Notification:
    return Notification(
        notification_id=notification_id,
        kind=kind,
        recipient=KINDS[kind].recipient,
        appointment_id=appointment_id,
        clinic_id=clinic_id,
        schedule_gen=schedule_gen,
        reminder_id=None,
        caused_by=caused_by,
        state=NotificationState.QUEUED,
        lane=None,
        not_after=not_after,
        next_attempt_at=now,
    )


def _not_after(what: Happening, visit: VisitReading) -> datetime | None:
    """Return until when it is worth saying; None for a visit without a start, of which the gate lets nothing pass."""
    if visit.starts_at is None:
        return None
    ends = visit.ends_at or visit.starts_at + STILL_THERE
    return ends if what is Happening.ARRIVED else ends + FOLLOW_UP_WITHIN
