"""The story of the projector: what the worker and the notifier said becomes the reminder records (R11, R17)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chassis.consumer import Applied
from chassis.logs import get_logger
from reminders.projector.domain.book import Book, on_cancelled, on_due, on_outcome, on_planned
from schemas.notifications import NotificationChanged
from schemas.reminders import ClinicDayDue, ReminderDeadLetter, ReminderDue, RemindersCancelled, RemindersPlanned


@dataclass(frozen=True, slots=True)
class Told:
    """One event of `reminders` or `notifications`.

    Attributes:
        body: What it says.
        at: Its domain time.
        event_id: Its id.
    """

    body: RemindersPlanned | RemindersCancelled | ReminderDue | ClinicDayDue | ReminderDeadLetter | NotificationChanged
    at: datetime
    event_id: str


class Books(Protocol):
    """The records' store, inside the batch's transaction."""

    async def open(self, appointment_ids: Iterable[UUID]) -> Mapping[UUID, Book]:
        """Lock and return the books of these appointments; no other batch changes them before the commit."""
        ...

    async def save(self, books: Iterable[Book]) -> None:
        """Write what changed."""
        ...

    async def keep_dead(self, letters: Sequence[ReminderDeadLetter]) -> None:
        """Keep the worker's dead letters; repeats are kept once."""
        ...


async def record(books: Books, events: Sequence[Told]) -> Applied:
    """Fold a batch of either topic into the records: in any order, however often they come.

    Notifications that are no reminders, and the days of clinics, change nothing and count as applied.
    """
    await books.keep_dead([told.body for told in events if isinstance(told.body, ReminderDeadLetter)])
    stories = [
        (place, appointment_id, told)
        for place, told in enumerate(events)
        if (appointment_id := _appointment_of(told)) is not None
    ]
    opened = await books.open({appointment_id for _, appointment_id, _ in stories})
    repeats = [place for place, appointment_id, told in stories if not _fold(opened[appointment_id], told)]
    await books.save(opened.values())
    return Applied(repeat=repeats)


def _appointment_of(told: Told) -> UUID | None:
    match told.body:
        case RemindersPlanned() | RemindersCancelled() | ReminderDue():
            return told.body.appointment_id
        case NotificationChanged(reminder_id=UUID()):
            return told.body.appointment_id
        case _:
            return None


def _fold(book: Book, told: Told) -> bool:
    """Fold one event, and say whether it changed anything."""
    before = book.changes
    match told.body:
        case RemindersPlanned() as plan:
            cancelled = on_planned(book, plan, told.at, told.event_id)
            if cancelled:
                _tell(plan, [str(reminder.reason) for reminder in cancelled])
        case RemindersCancelled() as correction:
            cancelled = on_cancelled(book, correction, told.at, told.event_id)
            if cancelled:
                _tell(correction, [str(reminder.reason) for reminder in cancelled])
        case ReminderDue() as due:
            on_due(book, due, told.at, told.event_id)
        case NotificationChanged(reminder_id=UUID() as reminder_id) as outcome:
            on_outcome(book, outcome, reminder_id, told.event_id)
    return book.changes > before


def _tell(plan: RemindersPlanned | RemindersCancelled, reasons: Sequence[str]) -> None:
    """R14: say how many scheduled reminders a cancellation, a move or a correction cancelled."""
    get_logger().info(
        "reminders.cancelled",
        appointment_id=str(plan.appointment_id),
        version=plan.version,
        schedule_gen=plan.schedule_gen,
        count=len(reasons),
        reasons=sorted(set(reasons)),
    )
