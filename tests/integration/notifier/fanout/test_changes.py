"""Moves, cancellations and re-bookings on real parts: who hears what, and how often (R27, R28, D37)."""

from datetime import timedelta
from uuid import UUID

import pytest

from schemas.appointments import Appointment, IngestMode, Status
from schemas.notifications import Channel
from schemas.reminders import Reason
from tests.support.notifier.bookings_tables import MONDAY
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = pytest.mark.integration

LATER = MONDAY + timedelta(days=5)
TWO_MINUTES = timedelta(minutes=2, seconds=1)


async def titles(notifier: RunningNotifier, provider: UUID) -> list[str]:
    items = (await notifier.ask("GET", f"/v1/inbox/{provider}")).json()["items"]
    return [item["title"] for item in items]


async def told(notifier: RunningNotifier, patient: UUID) -> int:
    """Return how many mails the patient has got."""
    return len(notifier.carriers.to(await notifier.address(patient, "email")))


async def confirmed(notifier: RunningNotifier, patient: UUID, provider: UUID | None = None) -> Appointment:
    """Return a visit that the patient has been told of, by mail only."""
    await notifier.ask(
        "PUT", f"/v1/patients/{patient}/preferences", json={"whatsapp": False, "sms": False, "email": True}
    )
    visit = await notifier.book(patient, provider)
    await notifier.settled(visit, "confirmation", "accepted")
    return visit


async def move(notifier: RunningNotifier, visit: Appointment, days: int) -> Appointment:
    starts = MONDAY + timedelta(days=days)
    return await notifier.change(
        visit, schedule_gen=visit.schedule_gen + 1, starts_at=starts, ends_at=starts + timedelta(minutes=30)
    )


async def test_r27_a_move_and_then_a_cancellation_are_told_to_both(notifier: RunningNotifier) -> None:
    patient, provider = await notifier.patient(), await notifier.provider()
    await notifier.start()
    visit = await confirmed(notifier, patient, provider)
    moved = await move(notifier, visit, 5)
    await notifier.settled(moved, "moved", "accepted")
    cancelled = await notifier.change(moved, status=Status.CANCELLED)
    waiting = await notifier.settled(cancelled, "cancelled", "queued")
    await notifier.settled(cancelled, "provider-cancelled", "accepted")
    before = await told(notifier, patient)
    notifier.step(TWO_MINUTES)
    await notifier.settled(cancelled, "cancelled", "accepted")

    assert await titles(notifier, provider) == ["New Appointment Booked", "Appointment Moved", "Appointment Cancelled"]
    assert waiting["next_attempt_at"] - waiting["created_at"] == timedelta(minutes=2)
    assert (before, await told(notifier, patient)) == (2, 3)


async def test_d37_two_moves_before_the_first_left_are_one_message(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    await notifier.start()
    visit = await confirmed(notifier, patient)
    notifier.carriers.script(await notifier.address(patient, "email"), 451)
    first = await move(notifier, visit, 5)
    await notifier.tried(first, "moved", 1)
    second = await move(notifier, first, 6)

    moved = await notifier.settled(second, "moved", "accepted")
    assert (moved["said_starts_at"], moved["recipient_id"]) == (second.starts_at, patient)
    assert await told(notifier, patient) == 2


async def test_d58_a_cancellation_that_is_taken_back_before_it_was_told_is_nothing(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    await notifier.start()
    visit = await confirmed(notifier, patient)
    cancelled = await notifier.change(visit, status=Status.CANCELLED)
    await notifier.settled(cancelled, "cancelled", "queued")
    back = await notifier.change(cancelled, status=Status.BOOKED, schedule_gen=2)

    row = await notifier.settled(back, "cancelled", "skipped")
    notifier.step(TWO_MINUTES)
    marker = await notifier.book(await notifier.patient())
    await notifier.settled(marker, "confirmation", "accepted")

    assert row["reason"] == Reason.SUPERSEDED
    assert await told(notifier, patient) == 1


async def test_d37_a_re_booking_after_a_cancellation_is_one_moved_message(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    await notifier.start()
    visit = await confirmed(notifier, patient)
    cancelled = await notifier.change(visit, status=Status.CANCELLED)
    await notifier.settled(cancelled, "cancelled", "queued")
    again = await notifier.book(patient, starts_at=LATER)

    moved = await notifier.settled(again, "moved", "accepted")
    notifier.step(TWO_MINUTES)
    gone = await notifier.settled(cancelled, "cancelled", "skipped")

    assert (moved["replaces"], gone["reason"]) == (visit.appointment_id, Reason.ALREADY_TOLD)
    assert await told(notifier, patient) == 2
    assert "moved" in notifier.carriers.to(await notifier.address(patient, "email"))[1].body.lower()


async def test_d37_a_re_booking_before_the_cancellation_is_one_moved_message(notifier: RunningNotifier) -> None:
    """The new visit is booked first, as front desks do: its confirmation waits for the old one to be cancelled."""
    patient = await notifier.patient()
    await notifier.start()
    visit = await confirmed(notifier, patient)
    notifier.step(timedelta(hours=1))
    again = await notifier.book(patient, starts_at=LATER)
    await notifier.settled(again, "confirmation", "queued")
    await notifier.change(visit, status=Status.CANCELLED)

    moved = await notifier.settled(again, "moved", "accepted")
    notifier.step(TWO_MINUTES)
    gone = await notifier.settled(visit, "cancelled", "skipped")

    assert (moved["replaces"], gone["reason"]) == (visit.appointment_id, Reason.ALREADY_TOLD)
    assert await told(notifier, patient) == 2


async def test_d37_a_visit_of_the_past_is_cancelled_without_a_word_and_never_half_of_a_move(
    notifier: RunningNotifier,
) -> None:
    patient = await notifier.patient()
    await notifier.start()
    visit = await confirmed(notifier, patient)
    assert visit.starts_at is not None
    notifier.step(visit.starts_at - notifier.now + timedelta(hours=1))
    cancelled = await notifier.change(visit, status=Status.CANCELLED)
    gone = await notifier.settled(cancelled, "cancelled", "skipped")
    again = await notifier.book(patient, starts_at=LATER)
    await notifier.settled(again, "confirmation", "accepted")

    assert gone["reason"] == Reason.PAST_VISIT
    assert await told(notifier, patient) == 2


async def test_d37_both_in_one_batch_are_one_moved_message_and_a_repeat_changes_nothing(
    notifier: RunningNotifier,
) -> None:
    patient = await notifier.patient()
    await notifier.start()
    visit = await confirmed(notifier, patient)
    notifier.step(timedelta(hours=1))
    cancelled = visit.model_copy(update={"version": 2, "status": Status.CANCELLED, "ingest_time": notifier.now})
    again = notifier.visit(patient, starts_at=LATER)
    for one in (again, cancelled):
        await notifier.hold(one)
    await notifier.publish(again, cancelled)
    await notifier.settled(again, "moved", "accepted")
    await notifier.publish(cancelled, again)
    marker = await notifier.book(await notifier.patient())
    await notifier.settled(marker, "confirmation", "accepted")

    notifier.step(TWO_MINUTES)
    gone = await notifier.settled(cancelled, "cancelled", "skipped")

    assert gone["reason"] == Reason.ALREADY_TOLD
    assert await told(notifier, patient) == 2


async def test_d37_another_service_or_a_later_booking_is_a_message_of_its_own(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    await notifier.start()
    visit = await confirmed(notifier, patient)
    await notifier.change(visit, status=Status.CANCELLED)
    other = notifier.visit(patient, starts_at=LATER).model_copy(update={"service_type": "Dentist"})
    await notifier.hold(other)
    await notifier.publish(other)
    await notifier.settled(other, "confirmation", "accepted")
    notifier.step(TWO_MINUTES)
    await notifier.settled(visit, "cancelled", "accepted")
    late = await notifier.book(patient, starts_at=LATER)
    await notifier.settled(late, "confirmation", "accepted")

    assert await told(notifier, patient) == 4


async def test_r27_nobody_hears_of_the_end_of_a_visit_that_he_never_heard_of(notifier: RunningNotifier) -> None:
    patient = await notifier.patient(email=None, mobile=None)
    await notifier.start()
    visit = await notifier.book(patient)
    assert (await notifier.settled(visit, "confirmation", "skipped"))["reason"] == Reason.NO_CONTACT
    await notifier.change(visit, status=Status.CANCELLED)

    async def waits_no_more() -> bool:
        return bool((await notifier.ask("GET", "/v1/work-list")).json()["items"] == [])

    await until(waits_no_more)
    query = "SELECT count(*) FROM notification WHERE appointment_id = $1 AND recipient = 'patient'"
    assert await notifier.pool.fetchval(query, visit.appointment_id) == 1
    assert notifier.carriers.taken == []


async def test_d43_d58_an_imported_visit_counts_as_told_so_its_end_is_told(notifier: RunningNotifier) -> None:
    patient, provider = await notifier.patient(), await notifier.provider()
    await notifier.start()
    imported = await notifier.book(patient, provider, mode=IngestMode.BACKFILL)
    assert (await notifier.settled(imported, "confirmation", "skipped"))["reason"] == Reason.BACKFILL
    await notifier.change(imported, status=Status.CANCELLED, mode=IngestMode.LIVE)
    await notifier.settled(imported, "cancelled", "queued")
    notifier.step(TWO_MINUTES)
    await notifier.settled(imported, "cancelled", "accepted")

    assert await titles(notifier, provider) == ["Appointment Cancelled"]


async def test_d58_a_visit_given_to_another_patient_is_told_to_both(notifier: RunningNotifier) -> None:
    ann, ben = await notifier.patient(), await notifier.patient()
    await notifier.start()
    visit = await confirmed(notifier, ann)
    given = await notifier.change(visit, patient_id=ben)
    await notifier.settled(given, "cancelled", "queued")
    notifier.step(TWO_MINUTES)
    told_ann = await notifier.settled(given, "cancelled", "accepted")
    query = "SELECT recipient_id FROM notification WHERE kind = 'confirmation' AND state = 'accepted'"
    heard = {row[0] for row in await notifier.pool.fetch(query)}

    assert (told_ann["recipient_id"], heard) == (ann, {ann, ben})
    assert (await told(notifier, ann), await told(notifier, ben)) == (2, 1)


async def test_d58_a_visit_taken_from_a_provider_is_told_to_both(notifier: RunningNotifier) -> None:
    first, second = await notifier.provider(), await notifier.provider()
    await notifier.start()
    visit = await notifier.book(await notifier.patient(), first)
    await notifier.settled(visit, "provider-booked", "accepted")
    other = await notifier.change(visit, provider_id=second)
    await notifier.settled(other, "provider-cancelled", "accepted")
    await notifier.change(other, status=Status.WAITLIST)

    async def told_twice() -> bool:
        return len(await titles(notifier, second)) == 2

    await until(told_twice)
    assert await titles(notifier, first) == await titles(notifier, second)
    assert await titles(notifier, first) == ["New Appointment Booked", "Appointment Cancelled"]


async def test_d58_who_is_registered_after_his_booking_is_told_then(notifier: RunningNotifier) -> None:
    patient = await notifier.patient(registered=False, mobile=None, email=None)
    await notifier.start()
    visit = await notifier.book(patient)
    assert (await notifier.settled(visit, "confirmation", "skipped"))["reason"] == Reason.UNKNOWN_PATIENT
    listed = (await notifier.ask("GET", "/v1/work-list")).json()["items"]
    await notifier.register(patient)
    await notifier.settled(visit, "confirmation", "accepted")

    assert [(one["kind"], one["reason"]) for one in listed] == [("confirmation", "UNKNOWN_PATIENT")]
    assert (await notifier.ask("GET", "/v1/work-list")).json()["items"] == []


async def test_b10_a_cancellation_waits_in_the_lane_that_will_send_it(notifier: RunningNotifier) -> None:
    patient = await notifier.patient(email=None)
    await notifier.start(lanes=(Channel.SMS,))
    visit = await notifier.book(patient)
    await notifier.settled(visit, "confirmation", "accepted")
    await notifier.change(visit, status=Status.CANCELLED)
    waiting = await notifier.settled(visit, "cancelled", "queued")
    notifier.step(TWO_MINUTES)

    assert (await notifier.settled(visit, "cancelled", "accepted"))["lane"] == waiting["lane"] == "sms"


async def test_r28_an_arrival_alerts_the_provider_and_what_was_entered_in_error_is_taken_back(
    notifier: RunningNotifier,
) -> None:
    provider = await notifier.provider()
    await notifier.start()
    visit = await notifier.book(await notifier.patient(), provider)
    wrong = await notifier.book(await notifier.patient(), provider)
    await notifier.settled(wrong, "confirmation", "accepted")
    here = await notifier.change(visit, status=Status.ARRIVED)
    await notifier.change(wrong, status=Status.ENTERED_IN_ERROR)
    await notifier.settled(here, "provider-arrived", "accepted")

    await notifier.settled(wrong, "provider-cancelled", "accepted")
    assert sorted(await titles(notifier, provider)) == [
        "Appointment Cancelled",
        *["New Appointment Booked"] * 2,
        "Patient Arrived",
    ]
    await notifier.settled(wrong, "cancelled", "queued")


async def test_d19_a_missed_visit_is_followed_up_only_where_the_clinic_wants_it(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    await notifier.clinic("SOUTH")
    await notifier.start()
    visits = [await notifier.book(patient, clinic=clinic) for clinic in ("NORTH", "SOUTH")]
    await notifier.pool.execute(
        "INSERT INTO clinic_sending (clinic_id, version, no_show_follow_up, changed_at, changed_by)"
        " VALUES ('SOUTH', 1, true, $1, 'test')", MONDAY,
    )  # fmt: skip
    for visit in visits:
        await notifier.settled(visit, "confirmation", "accepted")
    notifier.step(timedelta(days=2, hours=1))
    for visit in visits:
        await notifier.change(visit, status=Status.NOSHOW)

    assert (await notifier.settled(visits[0], "no-show", "skipped"))["reason"] == Reason.NOT_WANTED
    await notifier.settled(visits[1], "no-show", "accepted")
