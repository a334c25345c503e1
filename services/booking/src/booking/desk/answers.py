"""What a desk is answered: each visit for itself, and counts."""

from collections.abc import Sequence
from datetime import datetime

from booking.appointments.domain.batch import EventAnswer
from booking.appointments.domain.state import Result
from booking.desk.bodies import DeskAnswer, Totals, VisitResult
from booking.desk.domain import Order, Wish
from booking.desk.handle import Done
from booking.door.bodies import views
from booking.values.times import wall_time


def answer_of(
    wish: Wish, order: Order, results: Sequence[Done], next_after: int | None, *, dry_run: bool
) -> DeskAnswer:
    """Return the answer to one request."""
    items = [_item(one, wish) for one in results]
    told = [(one.visit, item.told) for one, item in zip(results, items, strict=True) if one.visit is not None]
    return DeskAnswer(
        event_id=wish.key or None,
        act=wish.act,
        dry_run=dry_run,
        by=wish.changed_by,
        reason=wish.reason,
        asked_at=order.asked_at,
        visits=len(order.starts),
        results=items,
        totals=Totals(
            applied=sum(item.result == Result.APPLIED for item in items),
            repeat=sum(item.result == Result.REPEAT for item in items),
            refused=sum(item.result is None for item in items),
            reminders_cancelled=sum(item.reminders_cancelled or 0 for item in items),
            patients_told=len({visit.patient_id for visit, whom in told if "patient" in whom}),
            providers_told=len({visit.provider_id for visit, whom in told if "provider" in whom}),
        ),
        next_after=next_after,
    )


def _item(one: Done, wish: Wish) -> VisitResult:
    visit, answer = one.visit, one.answer
    item = VisitResult(appointment_id=one.appointment_id, status=200)
    if visit is not None:
        item.source, item.source_id, item.patient_id = visit.source, visit.source_id, visit.patient_id
        item.starts_at, item.starts_local = visit.starts_at, _local(visit.starts_at, visit.zone)
        item.new_starts_at, item.new_starts_local = one.starts_at, _local(one.starts_at, visit.zone)
    return _refused(item, answer) if answer.refusal is not None else _taken(item, one)


def _refused(item: VisitResult, answer: EventAnswer) -> VisitResult:
    refusal = answer.refusal
    assert refusal is not None  # noqa: S101  # as the caller saw
    item.status, item.code, item.detail = refusal.status, refusal.code, refusal.message
    item.place = refusal.place or None
    return item


def _taken(item: VisitResult, one: Done) -> VisitResult:
    answer, recorded = one.answer, one.answer.recorded
    assert recorded is not None and answer.result is not None  # noqa: S101, PT018  # taken, not refused
    item.result, item.version = answer.result.value, recorded.version
    item.original_result = None if recorded.result is answer.result else recorded.result.value
    item.reminders_cancelled = answer.reminders_cancelled
    item.told = one.visit.told if one.visit is not None and answer.result is Result.APPLIED else []
    item.warnings = views(recorded.warnings)
    return item


def _local(at: datetime | None, zone: str | None) -> str | None:
    return None if at is None or zone is None else wall_time(at, zone).isoformat()
