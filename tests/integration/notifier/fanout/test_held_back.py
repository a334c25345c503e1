"""Nothing leaves of a visit whose source contradicts itself, no reminder either, until that is settled (0059)."""

from datetime import timedelta

import pytest

from notifier.gate.domain.decision import HELD_FOR
from schemas.appointments import Appointment
from schemas.reminders import Reason
from tests.support.notifier.bookings_tables import MONDAY
from tests.support.notifier.running import RunningNotifier

pytestmark = pytest.mark.integration


async def hold_back(notifier: RunningNotifier, visit: Appointment) -> None:
    """Commit in booking that upstream contradicts itself about this visit."""
    await notifier.execute(
        "INSERT INTO visit_flag (appointment_id, code, version, raised_at) VALUES ($1, 'HELD_BACK', 1, $2)",
        visit.appointment_id, MONDAY,
    )  # fmt: skip


async def release(notifier: RunningNotifier, visit: Appointment) -> None:
    """Commit in booking that somebody settled it."""
    await notifier.execute(
        "UPDATE visit_flag SET done_at = $2, done_by = 'test' WHERE appointment_id = $1", visit.appointment_id, MONDAY
    )


async def test_a_reminder_waits_while_its_visit_is_held_back_and_leaves_when_it_is_not(
    notifier: RunningNotifier,
) -> None:
    await notifier.start()
    visit = await notifier.book(await notifier.patient())
    await notifier.settled(visit, "confirmation", "accepted")
    await hold_back(notifier, visit)

    await notifier.due(visit)
    waiting = await notifier.settled(visit, "reminder", "queued", "accepted", "skipped")
    assert (waiting["state"], waiting["reason"]) == ("queued", Reason.HELD_BACK)

    await release(notifier, visit)
    notifier.step(HELD_FOR + timedelta(minutes=1))
    assert (await notifier.settled(visit, "reminder", "accepted"))["state"] == "accepted"


async def test_what_is_new_of_a_visit_that_is_held_back_is_told_when_it_is_not(notifier: RunningNotifier) -> None:
    await notifier.start()
    visit = await notifier.book(await notifier.patient())
    await notifier.settled(visit, "confirmation", "accepted")
    await hold_back(notifier, visit)

    assert visit.starts_at is not None
    moved = await notifier.change(visit, starts_at=visit.starts_at + timedelta(hours=1))
    waiting = await notifier.settled(moved, "moved", "queued", "accepted", "skipped")
    assert (waiting["state"], waiting["reason"]) == ("queued", Reason.HELD_BACK)

    await release(notifier, visit)
    notifier.step(HELD_FOR + timedelta(minutes=1))
    assert (await notifier.settled(moved, "moved", "accepted"))["state"] == "accepted"
