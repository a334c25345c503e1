"""Timers that fall due in a steady stream, workers that come and go meanwhile, and what must have left at the end."""

import asyncio
import signal
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.appointments import Appointment
from schemas.reminders import ReminderDue
from tests.support.reminders.running import Process, RunningReminders
from tests.support.reminders.source import FIRST_VISIT, Source, repeats
from tests.support.waiting import until

DAY = timedelta(days=1)
FIRST_DUE = FIRST_VISIT - DAY
STEP = timedelta(milliseconds=20)
HANDED_OVER = 'attend_reminders_total{outcome="handed_over"}'


@dataclass(frozen=True)
class Pace:
    """So many timers a second for so long."""

    per_second: int
    seconds: int

    def visits(self, source: Source, first_due: datetime = FIRST_DUE) -> list[Appointment]:
        """Book the visits whose first reminders these are, due from that instant on."""
        each = int(self.per_second * STEP.total_seconds())
        steps = int(self.seconds / STEP.total_seconds())
        return [visit for number in range(steps) for visit in source.book(each, first_due + DAY + number * STEP)]


async def join_and_leave(
    reminders: RunningReminders, joins_at: datetime, leaves_at: datetime, slot: str | None = None
) -> int | None:
    """Let another worker join in a time that begins as it starts, and leave by SIGTERM in one that begins then.

    Returns:
        Its exit code.
    """
    joining = reminders.start("worker", **({"REMINDERS_SLOT": slot} if slot else {}))
    reminders.step(joins_at)
    await reminders.ready(joining)
    reminders.step(leaves_at)

    async def fires() -> bool:
        return HANDED_OVER in (await reminders.get(joining, "/metrics")).text

    await until(fires, "the worker that joined fires")
    return await asyncio.to_thread(joining.kill, signal.SIGTERM)


async def rows_of(reminders: RunningReminders, *workers: Process) -> int:
    """Return how many rows the workers say they have."""
    return sum([int((await reminders.get(worker, "/status")).json()["rows"]) for worker in workers])


async def all_left(reminders: RunningReminders, source: Source, *workers: Process) -> None:
    """Let the rest fall due, and wait until the workers share all partitions and are at rest."""
    last = max(visit.starts_at for visit in source.newest.values() if visit.starts_at is not None)
    reminders.step(last - DAY)

    async def shared() -> bool:
        await reminders.ready(*workers)
        return await rows_of(reminders, *workers) == len(source.newest)

    await until(shared, "the workers hold every row")
    await reminders.idle(*workers)
    await reminders.idle(*workers)


def wrongs(source: Source, due: list[ReminderDue]) -> list[str]:
    """Return what is missing, wrong or there twice among the hand-overs."""
    last = max(visit.starts_at for visit in source.newest.values() if visit.starts_at is not None)
    found, wanted = {reminder.reminder_id for reminder in due}, source.due_by(last - DAY)
    counts = {"missing": len(wanted - found), "of nothing": len(found - wanted), "twice": repeats(due)}
    return [f"{count} {what}" for what, count in counts.items() if count]
