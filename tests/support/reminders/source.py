"""The truth that the timers must follow: visits booked, moved, cancelled and changed."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count as count_up
from itertools import islice
from random import Random
from uuid import UUID

from aiokafka.partitioner import DefaultPartitioner

from reminders.timers.row import TimerState
from schemas.appointments import Appointment, Status
from schemas.instants import micros
from schemas.planning import plan
from schemas.reminders import ReminderDue, RemindersPlanned, ReminderStatus
from schemas.topics import APPOINTMENTS
from schemas.wire import encode
from tests.support.reminders.builders import ANY_HOUR, NOW, appointment, headers_of, id_of
from tests.support.reminders.changelog import Changelog, Held
from tests.support.reminders.running import RunningReminders

FIRST_VISIT = NOW + timedelta(days=3)


@dataclass
class Source:
    """Visits by name, the newest version of each, and how many versions were published.

    Attributes:
        seed: The same seed gives the same visits and changes.
        newest: Appointment id → its newest version.
        published: Every version, in order.
    """

    seed: int = 0
    newest: dict[UUID, Appointment] = field(default_factory=dict)
    published: list[Appointment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self._numbers = count_up()

    def book(self, count: int, starts_at: datetime = FIRST_VISIT, *, partition: int | None = None) -> list[Appointment]:
        """Book new visits that start together, in any partitions or in one."""
        names = (f"{self.seed}/{number}" for number in self._numbers)
        if partition is not None:
            names = (name for name in names if partition_of(id_of(name)) == partition)
        return self._keep(appointment(name, starts_at=starts_at, window=ANY_HOUR) for name in islice(names, count))

    def move(self, visits: Iterable[Appointment], by: timedelta) -> list[Appointment]:
        """Move visits: a new generation of each schedule."""
        return self._keep(
            self._next(visit, starts_at=_start(visit) + by, schedule_gen=visit.schedule_gen + 1) for visit in visits
        )

    def cancel(self, visits: Iterable[Appointment]) -> list[Appointment]:
        """Cancel visits."""
        return self._keep(self._next(visit, status=Status.CANCELLED) for visit in visits)

    def some(self, count: int) -> list[Appointment]:
        """Return any changes: half are new bookings, the others moves, cancellations and changes of no consequence."""
        found: list[Appointment] = []
        for _ in range(count):
            standing = self._random.choice(self.published) if self.published else None
            now = self.newest[standing.appointment_id] if standing else None
            what = self._random.random()
            if now is None or now.status is not Status.BOOKED or what < 0.5:
                found += self.book(1, FIRST_VISIT + timedelta(minutes=self._random.randrange(1440)))
            elif what < 0.7:
                found += self.move([now], timedelta(hours=self._random.choice((-1, 5, 26))))
            elif what < 0.85:
                found += self.cancel([now])
            else:
                found += self._keep([self._next(now)])
        return found

    def rows(self) -> dict[UUID, Held]:
        """Return the row that each visit must have while nothing has fired."""
        return {visit: expected(newest) for visit, newest in self.newest.items()}

    def due_by(self, instant: datetime) -> set[UUID]:
        """Return the ids of the reminders of the newest versions that are due by then."""
        return {
            reminder.reminder_id
            for newest in self.newest.values()
            for reminder in plan(newest)
            if reminder.status is ReminderStatus.SCHEDULED and reminder.due <= instant
        }

    def _next(self, visit: Appointment, **changes: object) -> Appointment:
        return visit.model_copy(update={"version": visit.version + 1, **changes})

    def _keep(self, versions: Iterable[Appointment]) -> list[Appointment]:
        kept = list(versions)
        self.newest.update({version.appointment_id: version for version in kept})
        self.published += kept
        return kept


def _start(visit: Appointment) -> datetime:
    assert visit.starts_at is not None
    return visit.starts_at


def partition_of(visit: UUID) -> int:
    """Return the partition of a visit's records."""
    everywhere = list(range(APPOINTMENTS.partitions))
    return int(DefaultPartitioner()(str(visit).encode(), everywhere, everywhere))


def expected(version: Appointment) -> Held:
    """Return the row of a version of which nothing has fired."""
    made = plan(version)
    pending = [r for r in made if r.status is ReminderStatus.SCHEDULED]
    states = {r.rule: TimerState.PENDING if r in pending else TimerState.VOID for r in made}
    next_due = min((micros(r.due) for r in pending), default=None)
    return Held(version.version, version.schedule_gen, next_due, micros(_start(version)), states)


async def stream(reminders: RunningReminders, source: Source, per_second: int, done: asyncio.Event) -> None:
    """Publish changes at about this rate until `done`; returns when all of them are acknowledged."""
    topic = reminders.installation.topic_prefix + APPOINTMENTS.name
    sent = []
    while not done.is_set():
        for version in source.some(max(1, per_second // 50)):
            key = str(version.appointment_id).encode()
            sent.append(await reminders.producer.send(topic, encode(version), key, headers=list(headers_of(version))))
        with suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), 0.02)
    await asyncio.gather(*sent)


def planned_wrong(source: Source, planned: list[RemindersPlanned]) -> list[str]:
    """Return where the plans differ from the versions published: each once, none else."""
    wanted = {(version.appointment_id, version.version) for version in source.published}
    found = [(plan.appointment_id, plan.version) for plan in planned]
    missing, doubled = wanted - set(found), len(found) - len(set(found))
    wrong = [f"{len(missing)} versions without a plan"] if missing else []
    wrong += [f"{doubled} plans twice"] if doubled else []
    return wrong + ([f"{len(set(found) - wanted)} plans of nothing"] if set(found) - wanted else [])


def rows_wrong(source: Source, changelog: Changelog) -> list[str]:
    """Return where the newest rows differ in values from the source."""
    wanted, found = source.rows(), changelog.rows
    wrong = [f"{visit}: no row" for visit in wanted.keys() - found.keys()]
    wrong += [f"{visit}: {found[visit]}, not {row}" for visit, row in wanted.items() if found.get(visit, row) != row]
    return wrong + [f"{visit}: a row of nothing" for visit in found.keys() - wanted.keys()]


def repeats(due: list[ReminderDue]) -> int:
    """Return how many hand-overs came again, with the same id."""
    return len(due) - len({reminder.reminder_id for reminder in due})
