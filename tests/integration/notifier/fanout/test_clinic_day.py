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
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = pytest.mark.integration

TUESDAY = date(2027, 3, 2)
EIGHT = datetime(2027, 3, 2, 8, tzinfo=UTC)


async def begin(notifier: RunningNotifier, clinic: str = "NORTH") -> None:
    """Begin a clinic's Tuesday."""
    body = ClinicDayDue(
        clinic_id=clinic, day=TUESDAY, zone="Europe/London", due=EIGHT, not_after=EIGHT + timedelta(hours=2),
        caused_by=f"slot-{clinic}",
    )  # fmt: skip
    await notifier.write(REMINDERS, clinic, f"day-{clinic}", CLINIC_DAY_DUE, wire.encode(body))


async def planned(notifier: RunningNotifier, visit: Appointment, due: datetime, **fields: Any) -> RemindersPlanned:
    """Say that one reminder of this visit is still to come."""
    one = PlannedReminder(
        reminder_id=wire.reminder_id(visit.appointment_id, visit.schedule_gen, "2h"), rule="2h", due=due,
        not_after=due + timedelta(minutes=90), status=ReminderStatus.SCHEDULED,
    )  # fmt: skip
    plan = RemindersPlanned(
        appointment_id=visit.appointment_id, version=visit.version, schedule_gen=visit.schedule_gen,
        patient_id=visit.patient_id, clinic_id=visit.clinic_id, reminders=(one,), caused_by="test", **fields,
    )  # fmt: skip
    await notifier.write(REMINDERS, str(visit.appointment_id), "planned", REMINDERS_PLANNED, wire.encode(plan))
    return plan


async def until_kept(notifier: RunningNotifier, visit: Appointment, wanted: int) -> None:
    """Wait until so many reminders of this visit are known to be still to come."""

    async def kept() -> bool:
        found = await notifier.pool.fetchval(
            "SELECT cardinality(reminder_ids) FROM reminder_plan WHERE appointment_id = $1", visit.appointment_id
        )
        return bool(found == wanted)

    await until(kept)


async def today(notifier: RunningNotifier, provider: UUID | None = None, hour: int = 15, **fields: Any) -> Appointment:
    """Book a visit on Tuesday and wait until its patient is told."""
    starts = datetime(2027, 3, 2, hour, tzinfo=UTC)
    visit = await notifier.book(await notifier.patient(), provider, starts_at=starts, **fields)
    await notifier.settled(visit, "confirmation", "accepted")
    return visit


async def test_r19_d18_who_was_not_reminded_is_written_to_in_the_morning(notifier: RunningNotifier) -> None:
    await notifier.start()
    nobody, reminded, long_ago, to_come, dropped = [await today(notifier) for _ in range(5)]
    await notifier.due(long_ago, not_after=EIGHT)  # at nine on Monday: before noon
    await notifier.settled(long_ago, "reminder", "accepted")
    await planned(notifier, to_come, EIGHT + timedelta(hours=5))
    gone = await planned(notifier, dropped, EIGHT + timedelta(hours=5))
    for one in (to_come, dropped):
        await until_kept(notifier, one, 1)
    body = RemindersCancelled(**gone.model_dump(exclude={"patient_id", "clinic_id"}))
    await notifier.write(REMINDERS, str(dropped.appointment_id), "gone", REMINDERS_CANCELLED, wire.encode(body))
    await until_kept(notifier, dropped, 0)
    notifier.step(timedelta(hours=10))
    await notifier.due(reminded, not_after=EIGHT)
    await notifier.settled(reminded, "reminder", "accepted")
    notifier.step(EIGHT - notifier.now)
    await begin(notifier)

    for visit in (nobody, long_ago, dropped):
        row = await notifier.settled(visit, "today", "accepted")
        assert row["not_after"] == EIGHT + timedelta(hours=2)
    for visit in (reminded, to_come):
        assert (await notifier.settled(visit, "today", "skipped"))["reason"] == Reason.ALREADY_TOLD
    why = (await notifier.ask("GET", f"/v1/appointments/{reminded.appointment_id}/timeline")).json()
    assert ["reminder by SMS at 2027-03-01 19:00" in one["text"] for one in why["entries"]
            if one["reason"] == "ALREADY_TOLD"] == [True]  # fmt: skip


async def test_d18_d20_each_provider_has_one_list_of_the_day_however_often_the_day_begins(
    notifier: RunningNotifier,
) -> None:
    provider, idle = await notifier.provider(), await notifier.provider()
    await notifier.clinic("SOUTH")
    await notifier.start()
    late = await today(notifier, provider, 15)
    early = await today(notifier, provider, 9)
    cancelled = await today(notifier, provider, 11)
    await today(notifier, provider, 12, clinic="SOUTH")
    await today(notifier, None, 13)
    await notifier.change(cancelled, status=Status.CANCELLED)
    await notifier.settled(cancelled, "provider-cancelled", "accepted")
    notifier.step(EIGHT - notifier.now)
    for _ in range(3):
        await begin(notifier)
    await notifier.settled(late, "today", "accepted")
    await notifier.settled(early, "today", "accepted")
    marker = await today(notifier, None, 16)
    await notifier.due(marker, not_after=EIGHT + timedelta(hours=7))
    await notifier.settled(marker, "reminder", "accepted")

    items = (await notifier.ask("GET", f"/v1/inbox/{provider}")).json()["items"]
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
    assert (await notifier.ask("GET", f"/v1/inbox/{idle}")).json()["items"] == []
    assert await notifier.pool.fetchval("SELECT count(*) FROM notification WHERE kind = 'today'") == 3


async def test_d20_after_ten_nothing_of_the_day_is_sent(notifier: RunningNotifier) -> None:
    provider = await notifier.provider()
    await notifier.start()
    visit = await today(notifier, provider)
    notifier.step(EIGHT + timedelta(hours=2, minutes=1) - notifier.now)
    await begin(notifier)

    assert (await notifier.settled(visit, "today", "skipped"))["reason"] == Reason.TOO_LATE
    reasons = await notifier.pool.fetch("SELECT reason FROM notification WHERE kind = 'provider-day'")
    assert [row["reason"] for row in reasons] == [Reason.TOO_LATE]


async def test_d18_a_morning_never_makes_a_third_message_of_the_day(notifier: RunningNotifier) -> None:
    await notifier.start()
    visit = await today(notifier)
    moved = await notifier.change(visit, schedule_gen=2, starts_at=EIGHT + timedelta(hours=8))
    await notifier.settled(moved, "moved", "accepted")
    notifier.step(EIGHT - timedelta(hours=1) - notifier.now)
    for generation, hours in ((3, 9), (4, 10)):
        moved = await notifier.change(moved, schedule_gen=generation, starts_at=EIGHT + timedelta(hours=hours))

        async def both(now: int = generation) -> bool:
            return bool(
                await notifier.pool.fetchval(
                    "SELECT count(*) = $1 FROM notification WHERE kind = 'moved' AND state = 'accepted'", now - 1
                )
            )

        await until(both)
    notifier.step(EIGHT - notifier.now)
    await begin(notifier)

    assert (await notifier.settled(moved, "today", "skipped"))["reason"] == Reason.LIMIT
