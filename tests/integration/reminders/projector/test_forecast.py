"""The counts by clinic and minute (B9): whatever happened, they are what a recount of the records gives."""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from chassis.postgres.database import Pool
from reminders.projector.handle import PublishedEvent, record
from reminders.projector.store import PostgresBooks, close_overdue, forget_forecast
from schemas.appointments import Appointment, Status
from schemas.notifications import Kind, NotificationChanged, Outcome
from schemas.planning import plan
from schemas.reminders import PlannedReminder, Reason, ReminderDue, RemindersCancelled, RemindersPlanned, ReminderStatus
from schemas.wire import notification_id
from tests.support.reminders.builders import ANY_HOUR, NOW, VISIT, appointment

pytestmark = pytest.mark.integration

RECOUNT = """
SELECT clinic_id, date_trunc('minute', scheduled_for) AS minute, count(*) AS due FROM reminder
WHERE status = 'SCHEDULED' AND handed_over_at IS NULL AND clinic_id IS NOT NULL GROUP BY 1, 2
"""


async def take(pool: Pool, events: Sequence[PublishedEvent]) -> None:
    """Apply a batch, as the projector does."""
    async with pool.acquire() as connection, connection.transaction():
        await record(PostgresBooks(connection), events)


async def counted(pool: Pool) -> dict[tuple[str, datetime], int]:
    rows = await pool.fetch("SELECT clinic_id, minute, due FROM forecast WHERE due <> 0")
    return {(row["clinic_id"], row["minute"]): row["due"] for row in rows}


async def recounted(pool: Pool) -> dict[tuple[str, datetime], int]:
    return {(row["clinic_id"], row["minute"]): row["due"] for row in await pool.fetch(RECOUNT)}


def told(
    body: RemindersPlanned | RemindersCancelled | ReminderDue | NotificationChanged, at: datetime = NOW
) -> PublishedEvent:
    return PublishedEvent(body, at, "event")


def planned(event: Appointment) -> RemindersPlanned:
    return RemindersPlanned(
        appointment_id=event.appointment_id,
        version=event.version,
        schedule_gen=event.schedule_gen,
        patient_id=event.patient_id,
        clinic_id=event.clinic_id,
        reminders=plan(event),
        caused_by="booking",
    )


def due(event: Appointment, reminder: PlannedReminder) -> ReminderDue:
    return ReminderDue(
        reminder_id=reminder.reminder_id,
        appointment_id=event.appointment_id,
        version=event.version,
        schedule_gen=event.schedule_gen,
        rule=reminder.rule,
        due=reminder.due,
        not_after=reminder.not_after,
        caused_by="timer",
    )


def late(event: Appointment, reminder: PlannedReminder) -> RemindersCancelled:
    cancelled = reminder.model_copy(update={"status": ReminderStatus.CANCELLED, "reason": Reason.TOO_LATE})
    return RemindersCancelled(
        appointment_id=event.appointment_id,
        version=event.version,
        schedule_gen=event.schedule_gen,
        reminders=(cancelled,),
        caused_by="timer",
    )


def outcome(event: Appointment, reminder: PlannedReminder, what: Outcome) -> NotificationChanged:
    return NotificationChanged(
        notification_id=notification_id((reminder.reminder_id,), "patient", "reminder"),
        version=1,
        appointment_id=event.appointment_id,
        schedule_gen=event.schedule_gen,
        kind=Kind.REMINDER,
        recipient="patient",
        reminder_id=reminder.reminder_id,
        outcome=what,
        at=reminder.due,
        attempts=1,
        caused_by="due",
    )


def story(name: str, dice: random.Random) -> list[PublishedEvent]:
    """Return what may become of one appointment, in order: booked, moved, cancelled, handed over, too late, sent."""
    events: list[PublishedEvent] = []
    version, generation, start = 1, 1, VISIT + timedelta(minutes=dice.randrange(20))
    for _ in range(dice.randint(1, 6)):
        status = dice.choice([Status.BOOKED, Status.BOOKED, Status.BOOKED, Status.CANCELLED])
        held = appointment(name, version, status, starts_at=start, schedule_gen=generation, window=ANY_HOUR)
        held = held.model_copy(update={"clinic_id": dice.choice(["EYE", "SKIN"])})
        events.append(told(planned(held)))
        for reminder in plan(held):
            what = dice.choice(["nothing", "due", "late", "due and outcome", "outcome"])
            if "due" in what:
                events.append(told(due(held, reminder), reminder.due))
            if what == "late":
                events.append(told(late(held, reminder), reminder.due))
            if "outcome" in what:
                events.append(told(outcome(held, reminder, dice.choice(list(Outcome)))))
        version += 1
        if dice.random() < 0.6:
            generation, start = generation + 1, start + timedelta(minutes=dice.randrange(120))
    return events


def dealt(stories: Sequence[list[PublishedEvent]], dice: random.Random) -> list[PublishedEvent]:
    """Return the stories shuffled into each other, with repeats and disorder."""
    cards = [event for events in stories for event in events]
    if dice.random() < 0.5:
        dice.shuffle(cards)
    return cards + dice.choices(cards, k=len(cards) // 3)


@pytest.mark.parametrize("seed", range(6))
async def test_b9_the_counts_are_a_recount_of_the_records_after_any_sequence(pool: Pool, seed: int) -> None:
    dice = random.Random(seed)
    cards = dealt([story(f"visit {n}", dice) for n in range(30)], dice)
    while cards:
        size = dice.choice([1, 5, 60])
        batch, cards = cards[:size], cards[size:]
        await take(pool, batch)

        assert await counted(pool) == await recounted(pool)
    await close_overdue(pool, VISIT + timedelta(hours=73))
    assert await counted(pool) == await recounted(pool)


async def test_b9_batches_side_by_side_neither_lose_a_count_nor_wait_for_each_other_in_a_ring(
    pool: Pool,
) -> None:
    """Four partitions at once on the same minutes, closing in between: sorted rows, one order of the tables."""

    async def partition(number: int) -> None:
        dice = random.Random(number)
        for _ in range(8):
            await take(pool, dealt([story(f"{number}/{n}", dice) for n in range(40)], dice))

    async def closing() -> None:
        for hours in range(24):
            await close_overdue(pool, VISIT + timedelta(hours=60 + hours))
            await forget_forecast(pool, VISIT)

    await asyncio.gather(*(partition(number) for number in range(4)), closing())

    assert await counted(pool) == await recounted(pool)


async def test_b9_from_planned_to_gone(pool: Pool) -> None:
    booked = appointment()
    first, second = plan(booked)
    await take(pool, [told(planned(booked))])
    assert await counted(pool) == {("EYE", first.due): 1, ("EYE", second.due): 1}

    await take(pool, [told(due(booked, first), first.due)])
    assert await counted(pool) == {("EYE", second.due): 1}

    moved = appointment(version=2, schedule_gen=2, starts_at=VISIT + timedelta(days=1, seconds=42))
    await take(pool, [told(planned(moved))])
    minutes = [reminder.due - timedelta(seconds=42) for reminder in plan(moved)]
    assert await counted(pool) == {("EYE", minute): 1 for minute in minutes}

    await take(pool, [told(planned(appointment(version=3, status=Status.CANCELLED, schedule_gen=2)))])
    assert await counted(pool) == {}
    assert await pool.fetchval("SELECT count(*) FROM forecast") == 4
    await forget_forecast(pool, VISIT + timedelta(days=2))
    assert await pool.fetchval("SELECT count(*) FROM forecast") == 0
