"""The whole loop on real parts: from a booking and a due reminder to what the carriers accepted."""

from datetime import timedelta
from email import message_from_string, policy
from typing import Any

import pytest

from schemas.appointments import IngestMode, Status
from schemas.notifications import Outcome
from schemas.reminders import Reason
from tests.support.notifier.bookings_tables import MONDAY
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = pytest.mark.integration


async def test_r20_r22_a_booking_tells_the_provider_and_confirms_to_the_patient(notifier: RunningNotifier) -> None:
    patient, provider = await notifier.patient(), await notifier.provider()
    await notifier.start()
    visit = await notifier.book(patient, provider)

    confirmation = await notifier.settled(visit, "confirmation", "accepted")
    notice = await notifier.settled(visit, "provider-booked", "accepted")

    [mail] = notifier.carriers.to(await notifier.address(patient, "email"))
    received = message_from_string(mail.body, policy=policy.default)
    assert mail.reference == str(confirmation["attempt_id"])
    assert "Clinic NORTH" in received["Subject"]
    assert [part.get_content_type() for part in received.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/ics",
    ]
    assert notice["lane"] == "in-app"
    inbox = (await notifier.ask("GET", f"/v1/inbox/{provider}")).json()["items"]
    assert [(one["number"], one["title"], one["patient_name"]) for one in inbox] == [
        (1, "New Appointment Booked", "Ada Abara")
    ]
    assert (inbox[0]["date"], inbox[0]["time"], inbox[0]["service_type"]) == ("2027-03-03", "09:00", "Physiotherapy")
    assert inbox[0]["link"] == f"https://ehr.example/visits/{visit.appointment_id}"


async def test_r23_r25_a_due_reminder_is_sent_and_its_outcome_published(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    visit = await notifier.book(patient)
    due = await notifier.due(visit)
    await notifier.start()

    row = await notifier.settled(visit, "reminder", "accepted")

    [sms] = notifier.carriers.to(await notifier.address(patient, "mobile"))
    assert (sms.channel, sms.reference) == ("sms", str(row["attempt_id"]))

    async def published() -> bool:
        return any(one.kind == "reminder" for one in await notifier.outcomes())

    await until(published)
    [told] = [one for one in await notifier.outcomes() if one.kind == "reminder"]
    assert (told.outcome, told.channel, told.reminder_id) == (Outcome.ACCEPTED, "sms", due.reminder_id)
    assert (told.notification_id, told.version, told.attempts) == (row["notification_id"], 1, 1)
    assert told.caused_by == f"due-{due.reminder_id}"


async def test_g4_repeats_of_a_due_and_of_a_booking_send_once(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    visit = await notifier.book(patient)
    await notifier.publish(visit)
    await notifier.start()
    await notifier.settled(
        visit, "confirmation", "accepted"
    )  # before he is reminded: who was needs none any more (0037)
    due = await notifier.due(visit)
    await notifier.settled(visit, "reminder", "accepted")
    await notifier.hand_over(due)
    await notifier.publish(visit, visit)
    notifier.step(timedelta(days=1))  # never a third message on one day (D18)
    other = await notifier.due(visit, "2h")

    async def both() -> bool:
        return len(notifier.carriers.to(await notifier.address(patient, "mobile"))) == 2

    await until(both)
    assert other.reminder_id != due.reminder_id
    assert await notifier.pool.fetchval("SELECT count(*) FROM notification WHERE kind = 'reminder'") == 2
    assert len(notifier.carriers.to(await notifier.address(patient, "email"))) == 1


async def test_r26_a_cancellation_committed_before_the_gate_wins(notifier: RunningNotifier) -> None:
    """The topic still says booked: it is what booking has committed that counts."""
    patient, provider = await notifier.patient(), await notifier.provider()
    visit = await notifier.book(patient, provider)
    await notifier.due(visit)
    await notifier.hold(visit.model_copy(update={"version": 2, "status": Status.CANCELLED}))
    await notifier.start()

    row = await notifier.settled(visit, "reminder", "skipped")
    marker = await notifier.book(await notifier.patient())
    await notifier.settled(marker, "confirmation", "accepted")

    assert row["reason"] == Reason.APPOINTMENT_CANCELLED
    assert await notifier.row(visit, "confirmation") is await notifier.row(visit, "provider-booked") is None
    assert len(notifier.carriers.taken) == 1


async def test_r26_a_cancellation_wins_over_a_message_that_waits_for_its_retry(notifier: RunningNotifier) -> None:
    patient = await notifier.patient(email=None)
    notifier.carriers.script(await notifier.address(patient, "mobile"), 503)
    notifier.carriers.retry_after_s = 600
    await notifier.start()
    visit = await notifier.book(patient)
    await notifier.tried(visit, "confirmation", 1)
    await notifier.hold(visit.model_copy(update={"version": 2, "status": Status.CANCELLED}))
    notifier.step(timedelta(hours=2))

    assert (await notifier.settled(visit, "confirmation", "skipped"))["reason"] == Reason.APPOINTMENT_CANCELLED
    assert notifier.carriers.taken == []


async def test_r21_d37_d43_bookings_that_tell_nobody_say_why(notifier: RunningNotifier) -> None:
    patient, provider = await notifier.patient(), await notifier.provider()
    await notifier.start()
    past = await notifier.book(patient, provider, starts_at=MONDAY - timedelta(days=900))
    imported = await notifier.book(patient, provider, mode=IngestMode.BACKFILL)
    unknown = await notifier.book(await notifier.patient(), patient)  # an id that no provider has

    for visit, reason in ((past, Reason.PAST_VISIT), (imported, Reason.BACKFILL)):
        for kind in ("confirmation", "provider-booked"):
            assert (await notifier.settled(visit, kind, "skipped"))["reason"] == reason
    assert (await notifier.settled(unknown, "provider-booked", "skipped"))["reason"] == Reason.UNKNOWN_PROVIDER
    await notifier.settled(unknown, "confirmation", "accepted")  # R40
    assert len(notifier.carriers.taken) == 1
    assert (await notifier.ask("GET", f"/v1/inbox/{provider}")).json()["items"] == []


SKIPPED: tuple[tuple[dict[str, Any], Reason], ...] = (
    ({"registered": False}, Reason.UNKNOWN_PATIENT),
    ({"deceased": True}, Reason.DECEASED),
    ({"do_not_contact": True}, Reason.DO_NOT_CONTACT),
    ({"consent": False}, Reason.NO_CONSENT),
    ({"mobile": None, "email": None}, Reason.NO_CONTACT),
)


async def test_d10_d30_d44_i8_a_reminder_that_may_not_leave_says_why(notifier: RunningNotifier) -> None:
    visits = [(await notifier.book(await notifier.patient(**fields)), reason) for fields, reason in SKIPPED]
    silent = await notifier.patient()
    visits.append((await notifier.book(silent), Reason.CHANNELS_DISABLED))
    moved = await notifier.book(await notifier.patient())
    await notifier.hold(moved.model_copy(update={"version": 2, "schedule_gen": 2}))
    late = await notifier.book(await notifier.patient())
    await notifier.start()
    none = {"whatsapp": False, "sms": False, "email": False}
    await notifier.ask("PUT", f"/v1/patients/{silent}/preferences", json=none)
    for visit in (*(visit for visit, _ in visits), moved):
        await notifier.due(visit)
    await notifier.due(late, not_after=MONDAY - timedelta(minutes=1))

    for visit, reason in (*visits, (moved, Reason.RESCHEDULED), (late, Reason.TOO_LATE)):
        assert (await notifier.settled(visit, "reminder", "skipped"))["reason"] == reason
    assert {taken.channel for taken in notifier.carriers.taken} <= {"email"}


async def test_d31_preferences_are_read_when_it_is_sent_and_the_lane_changes_with_them(
    notifier: RunningNotifier,
) -> None:
    patient = await notifier.patient()
    mobile, email = await notifier.address(patient, "mobile"), await notifier.address(patient, "email")
    notifier.carriers.script(mobile, 503)
    notifier.carriers.retry_after_s = 600
    await notifier.start()
    visit = await notifier.book(patient)
    await notifier.due(visit)
    await notifier.tried(visit, "reminder", 1)
    said = {"whatsapp": False, "sms": False, "email": True}
    answer = await notifier.ask("PUT", f"/v1/patients/{patient}/preferences", json=said)
    notifier.step(timedelta(hours=2))
    row = await notifier.settled(visit, "reminder", "accepted")

    assert answer.json()["version"] == 1
    assert (row["lane"], row["attempts"]) == ("email", 2)
    assert [one.channel for one in notifier.carriers.to(email)] == ["email", "email"]
    assert notifier.carriers.to(mobile) == []


async def test_r23_whatsapp_goes_as_a_template_to_who_asked_for_it(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    await notifier.start()
    await notifier.ask(
        "PUT", f"/v1/patients/{patient}/preferences", json={"whatsapp": True, "sms": True, "email": True}
    )
    visit = await notifier.book(patient)
    await notifier.due(visit)

    row = await notifier.settled(visit, "reminder", "accepted")

    [message] = notifier.carriers.to(await notifier.address(patient, "mobile"))
    assert (message.channel, message.reference) == ("whatsapp", str(row["attempt_id"]))
    assert "appointment_reminder" in message.body
