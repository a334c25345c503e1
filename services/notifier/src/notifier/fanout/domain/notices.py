"""What each transition has to say, and what makes an older message of the same visit, or of its twin, needless.

Three rules keep a patient from hearing of one change twice (D37):

* a newer notice of a visit supersedes an older one that still waits: two moves in a row are one message;
* a booking that supersedes the cancellation before it is a move, and one that nobody was told of before is a
  confirmation again, which the gate sees to;
* a cancelled visit and one booked within two minutes by the same patient, clinic and service, whichever came
  first, are one move: the cancellation is superseded, the booking's message takes its place.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from notifier.fanout.domain.transitions import NOTICES, Happened, Transition, VisitReading
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.settlement import skip
from notifier.ledger.domain.states import NotificationState
from notifier.values.kinds import KINDS, REBOOKED_WITHIN
from schemas.appointments import IngestMode
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason
from schemas.wire import event_id, notification_id

FOLLOW_UP_WITHIN = timedelta(hours=48)
"""After the visit's end: a late arrival undoes a no-show for 24 h (D19); after two days nobody wants to read of it."""

STILL_THERE = timedelta(hours=1)
"""After the start of a visit without an end: later an arrival is no news."""


def messages_for(happened: Happened, now: datetime) -> list[Notification]:
    """Return the messages of one transition, queued; for imported history they are born skipped (D43).

    A cancellation waits for a booking that may take its place.
    """
    visit = happened.visit
    cause = str(event_id(visit.appointment_id, visit.version))
    made = [_notice(kind, happened, cause, now) for kind in NOTICES[happened.transition]]
    if visit.mode is IngestMode.BACKFILL:
        return [skip(notice, Reason.BACKFILL) for notice in made]
    return made


def supersede(
    made: Sequence[Notification], waiting: Sequence[Notification]
) -> tuple[list[Notification], list[Notification]]:
    """Return the new notices, and the older ones that they made needless.

    Args:
        made: New notices in the order in which they happened.

    Returns:
        As many as were given, superseded ones skipped; and those of `waiting` that are skipped now.
    """
    changed = [one.appointment_id for one in made if KINDS[one.kind].is_news and one.state is NotificationState.QUEUED]
    if not waiting and len(set(changed)) == len(changed):
        return list(made), []
    before: dict[UUID | None, list[Notification]] = {}
    for held in waiting:
        if KINDS[held.kind].is_news:
            before.setdefault(held.appointment_id, []).append(held)
    ours = {notice.notification_id for notice in made}
    after: dict[UUID, Notification] = {}
    for notice in made:
        after[notice.notification_id] = notice
        if not KINDS[notice.kind].is_news or notice.state is not NotificationState.QUEUED:
            continue
        new = notice
        for old in before.get(notice.appointment_id, ()):
            new = _inherit(new, old)
            after[old.notification_id] = skip(old, _why(old, notice))
        before[notice.appointment_id] = [new]
        after[notice.notification_id] = new
    gone = [held for key, held in after.items() if key not in ours]
    return [after[notice.notification_id] for notice in made], gone


def take_place(cancelled: Notification, booking: Notification, now: datetime) -> tuple[Notification, Notification]:
    """Return a waiting cancellation superseded, and the booking's message as the move that says both."""
    moved = replace(booking, kind=Kind.MOVED, replaces=cancelled.appointment_id, next_attempt_at=now)
    return skip(cancelled, Reason.SUPERSEDED), moved


def may_take_place(cancelled: Notification, booking: Notification) -> bool:
    """Say whether both still wait and neither was ever called for."""
    waits = all(one.state is NotificationState.QUEUED and not one.attempts for one in (cancelled, booking))
    return waits and cancelled.kind is Kind.CANCELLED and booking.kind is Kind.CONFIRMATION


def _inherit(notice: Notification, old: Notification) -> Notification:
    """Return the newer notice with what the older one had to say besides.

    Whoever was to hear of a visit in another's place, and now of none, hears that the other is cancelled: it
    is the only one he knows.
    """
    if notice.kind is Kind.CANCELLED:
        return replace(notice, appointment_id=old.replaces) if old.replaces else notice
    moved = old.kind is Kind.CANCELLED or old.replaces is not None
    return replace(notice, kind=Kind.MOVED, replaces=old.replaces) if moved else notice


def _why(old: Notification, newer: Notification) -> Reason:
    cancelled = newer.kind is Kind.CANCELLED and old.kind is not Kind.CANCELLED
    return Reason.APPOINTMENT_CANCELLED if cancelled else Reason.SUPERSEDED


def _notice(kind: Kind, happened: Happened, cause: str, now: datetime) -> Notification:
    visit = happened.visit
    recipient, waits = KINDS[kind].recipient, KINDS[kind].waits
    return Notification(
        notification_id=notification_id(
            (visit.appointment_id, visit.schedule_gen, happened.transition.value), recipient, kind
        ),
        kind=kind,
        recipient=recipient,
        appointment_id=happened.appointment_id,
        clinic_id=visit.clinic_id,
        schedule_gen=visit.schedule_gen,
        reminder_id=None,
        caused_by=cause,
        state=NotificationState.QUEUED,
        lane=Channel.EMAIL if waits else None,
        not_after=_not_after(happened.transition, visit, now),
        next_attempt_at=now + REBOOKED_WITHIN if waits else now,
    )


def _not_after(what: Transition, visit: VisitReading, now: datetime) -> datetime | None:
    """Return until when it is worth saying; None for a visit without a start, of which the gate lets nothing pass."""
    if visit.starts_at is None:
        return None
    ends = visit.ends_at or visit.starts_at + STILL_THERE
    if what is Transition.ARRIVED:
        return ends
    return ends + FOLLOW_UP_WITHIN if what is Transition.NOSHOW else visit.starts_at
