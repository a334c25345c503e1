"""A clinic's morning on real parts: who is written to, what providers see, and each thing once (R19, D18, D20)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from schemas import wire
from schemas.appointments import Appointment, Status
from schemas.reminders import (
    CLINIC_DAY_DUE,
    REMINDERS_CANCELLED,
    REMINDERS_PLANNED,
    ClinicDayDue,
    PlannedReminder,
    Reason,
    RemindersCancelled,
    RemindersPlanned,
    ReminderStatus,
)
from schemas.topics import REMINDERS
from tests.support.notifier.running import World
from tests.support.waiting import until

pytestmark = pytest.mark.integration

TUESDAY = date(2027, 3, 2)
EIGHT = datetime(2027, 3, 2, 8, tzinfo=UTC)


async def begin(world: World, clinic: str = "NORTH") -> None:
    """Begin a clinic's Tuesday."""
    body = ClinicDayDue(
        clinic_id=clinic, day=TUESDAY, zone="Europe/London", due=EIGHT, not_after=EIGHT + timedelta(hours=2),
        caused_by=f"slot-{clinic}",
    )  # fmt: skip
    await world.write(REMINDERS, clinic, f"day-{clinic}", CLINIC_DAY_DUE, wire.encode(body))


async def planned(world: World, visit: Appointment, due: datetime, **fields: Any) -> RemindersPlanned:
    """Say that one reminder of this visit is still to come."""
    one = PlannedReminder(
        reminder_id=wire.reminder_id(visit.appointment_id, visit.schedule_gen, "2h"), rule="2h", due=due,
        not_after=due + timedelta(minutes=90), status=ReminderStatus.SCHEDULED,
    )  # fmt: skip
    plan = RemindersPlanned(
        appointment_id=visit.appointment_id, version=visit.version, schedule_gen=visit.schedule_gen,
        patient_id=visit.patient_id, clinic_id=visit.clinic_id, reminders=(one,), caused_by="test", **fields,
    )  # fmt: skip
    await world.write(REMINDERS, str(visit.appointment_id), "planned", REMINDERS_PLANNED, wire.encode(plan))
    return plan


async def until_kept(world: World, visit: Appointment, wanted: int) -> None:
    """Wait until so many reminders of this visit are known to be still to come."""

    async def kept() -> bool:
        found = await world.pool.fetchval(
            "SELECT cardinality(reminder_ids) FROM reminder_plan WHERE appointment_id = $1", visit.appointment_id
        )
        return bool(found == wanted)

    await until(kept)


async def today(world: World, provider: UUID | None = None, hour: int = 15, **fields: Any) -> Appointment:
    """Book a visit on Tuesday and wait until its patient is told."""
    starts = datetime(2027, 3, 2, hour, tzinfo=UTC)
    visit = await world.book(await world.patient(), provider, starts_at=starts, **fields)
    await world.settled(visit, "confirmation", "accepted")
    return visit


async def test_r19_d18_who_was_not_reminded_is_written_to_in_the_morning(world: World) -> None:
    await world.start()
    nobody, reminded, long_ago, to_come, dropped = [await today(world) for _ in range(5)]
    await world.due(long_ago, not_after=EIGHT)  # at nine on Monday: before noon
    await world.settled(long_ago, "reminder", "accepted")
    await planned(world, to_come, EIGHT + timedelta(hours=5))
    gone = await planned(world, dropped, EIGHT + timedelta(hours=5))
    for one in (to_come, dropped):
        await until_kept(world, one, 1)
    body = RemindersCancelled(**gone.model_dump(exclude={"patient_id", "clinic_id"}))
    await world.write(REMINDERS, str(dropped.appointment_id), "gone", REMINDERS_CANCELLED, wire.encode(body))
    await until_kept(world, dropped, 0)
    world.step(timedelta(hours=10))
    await world.due(reminded, not_after=EIGHT)
    await world.settled(reminded, "reminder", "accepted")
    world.step(EIGHT - world.now)
    await begin(world)

    for visit in (nobody, long_ago, dropped):
        row = await world.settled(visit, "today", "accepted")
        assert row["not_after"] == EIGHT + timedelta(hours=2)
    for visit in (reminded, to_come):
        assert (await world.settled(visit, "today", "skipped"))["reason"] == Reason.ALREADY_TOLD


async def test_d18_d20_each_provider_has_one_list_of_the_day_however_often_the_day_begins(world: World) -> None:
    provider, idle = await world.provider(), await world.provider()
    await world.clinic("SOUTH")
    await world.start()
    late = await today(world, provider, 15)
    early = await today(world, provider, 9)
    cancelled = await today(world, provider, 11)
    await today(world, provider, 12, clinic="SOUTH")
    await today(world, None, 13)
    await world.change(cancelled, status=Status.CANCELLED)
    await world.settled(cancelled, "provider-cancelled", "accepted")
    world.step(EIGHT - world.now)
    for _ in range(3):
        await begin(world)
    await world.settled(late, "today", "accepted")
    await world.settled(early, "today", "accepted")
    marker = await today(world, None, 16)
    await world.due(marker, not_after=EIGHT + timedelta(hours=7))
    await world.settled(marker, "reminder", "accepted")

    items = (await world.ask("GET", f"/v1/inbox/{provider}")).json()["items"]
    [day] = [one for one in items if one["kind"] == "provider-day"]

    assert (day["title"], day["appointment_id"], day["time"]) == ("Your Day at Clinic NORTH", None, "09:00")
    assert [(one["time"], one["appointment_id"]) for one in day["visits"]] == [
        ("09:00", str(early.appointment_id)),
        ("15:00", str(late.appointment_id)),
    ]
    assert day["body"].splitlines() == [
        "Tue 02 Mar 2027",
        "09:00 · Ada Abara · Physiotherapy",
        "15:00 · Ada Abara · Physiotherapy",
    ]
    assert (await world.ask("GET", f"/v1/inbox/{idle}")).json()["items"] == []
    assert await world.pool.fetchval("SELECT count(*) FROM notification WHERE kind = 'today'") == 3


async def test_d20_after_ten_nothing_of_the_day_is_sent(world: World) -> None:
    provider = await world.provider()
    await world.start()
    visit = await today(world, provider)
    world.step(EIGHT + timedelta(hours=2, minutes=1) - world.now)
    await begin(world)

    assert (await world.settled(visit, "today", "skipped"))["reason"] == Reason.TOO_LATE
    reasons = await world.pool.fetch("SELECT reason FROM notification WHERE kind = 'provider-day'")
    assert [row["reason"] for row in reasons] == [Reason.TOO_LATE]


async def test_d18_a_morning_never_makes_a_third_message_of_the_day(world: World) -> None:
    await world.start()
    visit = await today(world)
    moved = await world.change(visit, schedule_gen=2, starts_at=EIGHT + timedelta(hours=8))
    await world.settled(moved, "moved", "accepted")
    world.step(EIGHT - timedelta(hours=1) - world.now)
    for generation, hours in ((3, 9), (4, 10)):
        moved = await world.change(moved, schedule_gen=generation, starts_at=EIGHT + timedelta(hours=hours))

        async def both(now: int = generation) -> bool:
            return bool(
                await world.pool.fetchval(
                    "SELECT count(*) = $1 FROM notification WHERE kind = 'moved' AND state = 'accepted'", now - 1
                )
            )

        await until(both)
    world.step(EIGHT - world.now)
    await begin(world)

    assert (await world.settled(moved, "today", "skipped"))["reason"] == Reason.LIMIT
