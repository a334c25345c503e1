"""Which events changed no record is told by their places (I3)."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from chassis.delivery.consumer import Applied
from reminders.projector.domain.book import Book
from reminders.projector.handle import PublishedEvent, record
from schemas.planning import plan
from schemas.reminders import ClinicDayDue, ReminderDeadLetter, RemindersPlanned
from tests.support.reminders.builders import NOW, appointment, id_of


class MemoryBooks:
    """Books by appointment."""

    def __init__(self) -> None:
        self.books: dict[UUID, Book] = {}

    async def open(self, appointment_ids: Iterable[UUID]) -> Mapping[UUID, Book]:
        return {one: self.books.setdefault(one, Book(one)) for one in appointment_ids}

    async def save(self, books: Iterable[Book]) -> None:
        return None

    async def keep_dead(self, letters: Sequence[ReminderDeadLetter]) -> None:
        return None


def planned(version: int = 1, name: str = "visit") -> PublishedEvent:
    event = appointment(version=version)
    body = RemindersPlanned(
        appointment_id=id_of(name),
        version=version,
        schedule_gen=1,
        patient_id=event.patient_id,
        clinic_id=event.clinic_id,
        reminders=plan(event),
        caused_by="booking",
        starts_at=event.starts_at,
    )
    return PublishedEvent(body, NOW, f"{name}/{version}")


async def test_what_was_told_before_is_a_repeat_wherever_it_stands() -> None:
    books = MemoryBooks()
    body = ClinicDayDue(
        clinic_id="EYE", day=NOW.date(), zone="Europe/London", due=NOW, not_after=NOW, caused_by="the slot"
    )
    day = PublishedEvent(body, NOW, "day")

    assert await record(books, [day, planned()]) == Applied(repeat=[])
    assert await record(books, [planned(name="other"), day, planned(), planned(2), planned()]) == Applied(repeat=[2, 4])
