"""Moves, cancellations and re-bookings on real parts: who hears what, and how often (R27, R28, D37)."""

from datetime import timedelta
from uuid import UUID

import pytest

from schemas.appointments import Appointment, IngestMode, Status
from schemas.notifications import Channel
from schemas.reminders import Reason
from tests.support.notifier.bookings_tables import MONDAY
from tests.support.notifier.running import World
from tests.support.waiting import until

pytestmark = pytest.mark.integration

LATER = MONDAY + timedelta(days=5)
TWO_MINUTES = timedelta(minutes=2, seconds=1)


async def titles(world: World, provider: UUID) -> list[str]:
    items = (await world.ask("GET", f"/v1/inbox/{provider}")).json()["items"]
    return [item["title"] for item in items]


async def told(world: World, patient: UUID) -> int:
    """Return how many mails the patient has got."""
    return len(world.carriers.to(await world.address(patient, "email")))


async def confirmed(world: World, patient: UUID, provider: UUID | None = None) -> Appointment:
    """Return a visit that the patient has been told of, by mail only."""
    await world.ask("PUT", f"/v1/patients/{patient}/preferences", json={"whatsapp": False, "sms": False, "email": True})
    visit = await world.book(patient, provider)
    await world.settled(visit, "confirmation", "accepted")
    return visit


async def move(world: World, visit: Appointment, days: int) -> Appointment:
    starts = MONDAY + timedelta(days=days)
    return await world.change(
        visit, schedule_gen=visit.schedule_gen + 1, starts_at=starts, ends_at=starts + timedelta(minutes=30)
    )


async def test_r27_a_move_and_then_a_cancellation_are_told_to_both(world: World) -> None:
    patient, provider = await world.patient(), await world.provider()
    await world.start()
    visit = await confirmed(world, patient, provider)
    moved = await move(world, visit, 5)
    await world.settled(moved, "moved", "accepted")
    cancelled = await world.change(moved, status=Status.CANCELLED)
    waiting = await world.settled(cancelled, "cancelled", "queued")
    await world.settled(cancelled, "provider-cancelled", "accepted")
    before = await told(world, patient)
    world.step(TWO_MINUTES)
    await world.settled(cancelled, "cancelled", "accepted")

    assert await titles(world, provider) == ["New Appointment Booked", "Appointment Moved", "Appointment Cancelled"]
    assert waiting["next_attempt_at"] - waiting["created_at"] == timedelta(minutes=2)
    assert (before, await told(world, patient)) == (2, 3)


async def test_d37_two_moves_before_the_first_left_are_one_message(world: World) -> None:
    patient = await world.patient()
    await world.start()
    visit = await confirmed(world, patient)
    world.carriers.script(await world.address(patient, "email"), 451)
    first = await move(world, visit, 5)
    await world.tried(first, "moved", 1)
    second = await move(world, first, 6)

    async def both() -> bool:
        rows = await world.pool.fetch(
            "SELECT state, reason FROM notification WHERE kind = 'moved' ORDER BY schedule_gen"
        )
        return [tuple(row) for row in rows] == [("skipped", "SUPERSEDED"), ("accepted", None)]

    await until(both)
    await world.settled(second, "moved", "accepted")
    assert await told(world, patient) == 2


async def test_d37_an_un_cancelled_visit_is_one_moved_message(world: World) -> None:
    patient = await world.patient()
    await world.start()
    visit = await confirmed(world, patient)
    cancelled = await world.change(visit, status=Status.CANCELLED)
    await world.settled(cancelled, "cancelled", "queued")
    back = await world.change(cancelled, status=Status.BOOKED, schedule_gen=2)
    await world.settled(back, "moved", "accepted")

    row = await world.settled(back, "cancelled", "skipped")
    world.step(TWO_MINUTES)

    assert row["reason"] == Reason.SUPERSEDED
    assert await told(world, patient) == 2


async def test_d37_a_re_booking_after_a_cancellation_is_one_moved_message(world: World) -> None:
    patient = await world.patient()
    await world.start()
    visit = await confirmed(world, patient)
    cancelled = await world.change(visit, status=Status.CANCELLED)
    await world.settled(cancelled, "cancelled", "queued")
    again = await world.book(patient, starts_at=LATER)

    moved = await world.settled(again, "moved", "accepted")
    gone = await world.settled(cancelled, "cancelled", "skipped")

    assert (moved["replaces"], gone["reason"]) == (visit.appointment_id, Reason.SUPERSEDED)
    assert await told(world, patient) == 2
    assert "moved" in world.carriers.to(await world.address(patient, "email"))[1].body.lower()


async def test_d37_a_re_booking_before_the_cancellation_is_one_moved_message(world: World) -> None:
    """The new visit is booked first, as front desks do: its confirmation waits for the old one to be cancelled."""
    patient = await world.patient()
    await world.start()
    visit = await confirmed(world, patient)
    world.step(timedelta(hours=1))
    again = await world.book(patient, starts_at=LATER)
    await world.settled(again, "confirmation", "queued")
    await world.change(visit, status=Status.CANCELLED)

    moved = await world.settled(again, "moved", "accepted")
    gone = await world.settled(visit, "cancelled", "skipped")

    assert (moved["replaces"], gone["reason"]) == (visit.appointment_id, Reason.SUPERSEDED)
    assert await told(world, patient) == 2


async def test_d37_a_visit_of_the_past_is_cancelled_without_a_word_and_never_half_of_a_move(world: World) -> None:
    patient = await world.patient()
    await world.start()
    visit = await confirmed(world, patient)
    assert visit.starts_at is not None
    world.step(visit.starts_at - world.now + timedelta(hours=1))
    cancelled = await world.change(visit, status=Status.CANCELLED)
    gone = await world.settled(cancelled, "cancelled", "skipped")
    again = await world.book(patient, starts_at=LATER)
    await world.settled(again, "confirmation", "accepted")

    assert gone["reason"] == Reason.PAST_VISIT
    assert await told(world, patient) == 2


async def test_d37_both_in_one_batch_are_one_moved_message_and_a_repeat_changes_nothing(world: World) -> None:
    patient = await world.patient()
    await world.start()
    visit = await confirmed(world, patient)
    world.step(timedelta(hours=1))
    cancelled = visit.model_copy(update={"version": 2, "status": Status.CANCELLED, "ingest_time": world.now})
    again = world.visit(patient, starts_at=LATER)
    for one in (again, cancelled):
        await world.hold(one)
    await world.publish(again, cancelled)
    await world.settled(again, "moved", "accepted")
    await world.publish(cancelled, again)
    marker = await world.book(await world.patient())
    await world.settled(marker, "confirmation", "accepted")

    gone = await world.settled(cancelled, "cancelled", "skipped")

    assert gone["reason"] == Reason.SUPERSEDED
    assert await told(world, patient) == 2


async def test_d37_another_service_or_a_later_booking_is_a_message_of_its_own(world: World) -> None:
    patient = await world.patient()
    await world.start()
    visit = await confirmed(world, patient)
    await world.change(visit, status=Status.CANCELLED)
    other = world.visit(patient, starts_at=LATER).model_copy(update={"service_type": "Dentist"})
    await world.hold(other)
    await world.publish(other)
    await world.settled(other, "confirmation", "accepted")
    world.step(TWO_MINUTES)
    await world.settled(visit, "cancelled", "accepted")
    late = await world.book(patient, starts_at=LATER)
    await world.settled(late, "confirmation", "accepted")

    assert await told(world, patient) == 4


async def test_r27_nobody_hears_of_the_end_of_a_visit_that_he_never_heard_of(world: World) -> None:
    patient = await world.patient(email=None, mobile=None)
    await world.start()
    visit = await world.book(patient)
    await world.settled(visit, "confirmation", "skipped")
    imported = await world.book(await world.patient(), mode=IngestMode.BACKFILL)
    for one in (visit, imported):
        await world.change(one, status=Status.CANCELLED)
    await world.settled(visit, "cancelled", "queued")
    world.step(TWO_MINUTES)

    assert (await world.settled(visit, "cancelled", "skipped"))["reason"] == Reason.NOT_SENDABLE
    assert (await world.settled(imported, "cancelled", "skipped"))["reason"] == Reason.BACKFILL
    assert world.carriers.taken == []


async def test_b10_a_cancellation_waits_in_the_lane_that_will_send_it(world: World) -> None:
    patient = await world.patient(email=None)
    await world.start(lanes=(Channel.SMS,))
    visit = await world.book(patient)
    await world.settled(visit, "confirmation", "accepted")
    await world.change(visit, status=Status.CANCELLED)
    waiting = await world.settled(visit, "cancelled", "queued")
    world.step(TWO_MINUTES)

    assert (await world.settled(visit, "cancelled", "accepted"))["lane"] == waiting["lane"] == "sms"


async def test_r28_an_arrival_alerts_the_provider_and_nothing_tells_of_an_error(world: World) -> None:
    provider = await world.provider()
    await world.start()
    visit = await world.book(await world.patient(), provider)
    wrong = await world.book(await world.patient(), provider)
    await world.settled(wrong, "confirmation", "accepted")
    here = await world.change(visit, status=Status.ARRIVED)
    await world.change(wrong, status=Status.ENTERED_IN_ERROR)
    await world.settled(here, "provider-arrived", "accepted")

    assert sorted(await titles(world, provider)) == ["New Appointment Booked"] * 2 + ["Patient Arrived"]
    assert (
        await world.pool.fetchval("SELECT count(*) FROM notification WHERE appointment_id = $1", wrong.appointment_id)
        == 2
    )


async def test_d19_a_missed_visit_is_followed_up_only_where_the_clinic_wants_it(world: World) -> None:
    patient = await world.patient()
    await world.clinic("SOUTH")
    await world.start()
    visits = [await world.book(patient, clinic=clinic) for clinic in ("NORTH", "SOUTH")]
    await world.pool.execute(
        "INSERT INTO clinic_sending (clinic_id, version, no_show_follow_up, changed_at, changed_by)"
        " VALUES ('SOUTH', 1, true, $1, 'test')", MONDAY,
    )  # fmt: skip
    for visit in visits:
        await world.settled(visit, "confirmation", "accepted")
    world.step(timedelta(days=2, hours=1))
    for visit in visits:
        await world.change(visit, status=Status.NOSHOW)

    assert (await world.settled(visits[0], "no-show", "skipped"))["reason"] == Reason.NOT_WANTED
    await world.settled(visits[1], "no-show", "accepted")
