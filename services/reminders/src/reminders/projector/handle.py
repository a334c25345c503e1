"""The story of the projector: what the worker and the notifier said becomes the reminder records (R11, R17)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chassis.delivery.consumer import Applied
from chassis.process.logs import get_logger
from reminders.projector.domain.book import Book, on_cancelled, on_due, on_outcome, on_planned
from schemas.notifications import NotificationChanged
from schemas.reminders import ClinicDayDue, ReminderDeadLetter, ReminderDue, RemindersCancelled, RemindersPlanned


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """One event of the topic `reminders` or `notifications`, as it was published."""

    body: RemindersPlanned | RemindersCancelled | ReminderDue | ClinicDayDue | ReminderDeadLetter | NotificationChanged
    at: datetime
    event_id: str


class Books(Protocol):
    """The records' store, inside the batch's transaction."""

    async def open(self, appointment_ids: Iterable[UUID]) -> Mapping[UUID, Book]:
        """Lock and return the books of these appointments; no other batch changes them before the commit."""

    async def save(self, books: Iterable[Book]) -> None:
        """Write what changed."""

    async def keep_dead(self, letters: Sequence[ReminderDeadLetter]) -> None:
        """Keep the worker's dead letters; repeats are kept once."""


async def record(books: Books, events: Sequence[PublishedEvent]) -> Applied:
    """Fold a batch of either topic into the records: in any order, however often they come.

    Notifications that are no reminders, and the days of clinics, change nothing and count as applied.
    """
    await books.keep_dead([event.body for event in events if isinstance(event.body, ReminderDeadLetter)])
    stories = [
        (place, appointment_id, event)
        for place, event in enumerate(events)
        if (appointment_id := _appointment_of(event)) is not None
    ]
    opened = await books.open({appointment_id for _, appointment_id, _ in stories})
    repeats = [place for place, appointment_id, event in stories if not _fold(opened[appointment_id], event)]
    await books.save(opened.values())
    return Applied(repeat=repeats)


def _appointment_of(event: PublishedEvent) -> UUID | None:
    match event.body:
        case RemindersPlanned() | RemindersCancelled() | ReminderDue():
            return event.body.appointment_id
        case NotificationChanged(reminder_id=UUID()):
            return event.body.appointment_id
        case _:
            return None


def _fold(book: Book, event: PublishedEvent) -> bool:
    """Fold one event, and say whether it changed anything."""
    before = book.changes
    match event.body:
        case RemindersPlanned() as plan:
            cancelled = on_planned(book, plan, event.at, event.event_id)
            if cancelled:
                _log_cancelled(plan, [str(reminder.reason) for reminder in cancelled])
        case RemindersCancelled() as correction:
            cancelled = on_cancelled(book, correction, event.at, event.event_id)
            if cancelled:
                _log_cancelled(correction, [str(reminder.reason) for reminder in cancelled])
        case ReminderDue() as due:
            on_due(book, due, event.at, event.event_id)
        case NotificationChanged(reminder_id=UUID() as reminder_id) as outcome:
            on_outcome(book, outcome, reminder_id, event.event_id)
    return book.changes > before


def _log_cancelled(plan: RemindersPlanned | RemindersCancelled, reasons: Sequence[str]) -> None:
    """R14: say how many scheduled reminders a cancellation, a move or a correction cancelled."""
    get_logger().info(
        "reminders.cancelled",
        appointment_id=str(plan.appointment_id),
        version=plan.version,
        schedule_gen=plan.schedule_gen,
        count=len(reasons),
        reasons=sorted(set(reasons)),
    )
