"""R42: what is cancelled or moved is never reminded, and what is moved is reminded at its new time."""

from datetime import timedelta

from tests.support.practice import Practice

DAY = timedelta(days=1)
CANCELLED = ("CANCELLED", "APPOINTMENT_CANCELLED")
DO_NOT_CONTACT = ("CANCELLED", "DO_NOT_CONTACT")
RESCHEDULED = ("CANCELLED", "RESCHEDULED")
SENT = ("SENT", None)


async def test_r14_r26_cancelling_cancels_both_reminders_and_nothing_is_sent(practice: Practice) -> None:
    patient = await practice.new_patient()
    visit = await practice.book(patient, practice.now + 3 * DAY)
    await practice.settle()
    await practice.cancel(visit)
    await practice.pass_until(visit.start)

    assert await practice.outcomes(visit) == {"24h": CANCELLED, "2h": CANCELLED}
    assert "sms" not in await practice.channels(patient)


async def test_r14_cancelling_between_the_reminders_keeps_what_was_sent(practice: Practice) -> None:
    patient = await practice.new_patient()
    visit = await practice.book(patient, practice.now + 3 * DAY)
    await practice.pass_until(visit.start - timedelta(hours=12))
    await practice.cancel(visit)
    await practice.pass_until(visit.start)

    assert await practice.outcomes(visit) == {"24h": SENT, "2h": CANCELLED}
    assert (await practice.channels(patient)).count("sms") == 1


async def test_d10_a_move_plans_anew_for_the_new_time(practice: Practice) -> None:
    patient = await practice.new_patient()
    visit = await practice.book(patient, practice.now + 2 * DAY)
    await practice.settle()
    await practice.move(visit, practice.now + 4 * DAY)
    await practice.pass_until(visit.start)

    assert await practice.outcomes(visit, generation=1) == {"24h": RESCHEDULED, "2h": RESCHEDULED}
    assert await practice.outcomes(visit, generation=2) == {"24h": SENT, "2h": SENT}
    assert (await practice.channels(patient)).count("sms") == 2


async def test_d10_a_cancelled_visit_that_is_booked_again_is_planned_anew(practice: Practice) -> None:
    visit = await practice.book(await practice.new_patient(), practice.now + 2 * DAY)
    await practice.settle()
    await practice.cancel(visit)
    await practice.settle()
    await practice.change(visit, status="booked")
    await practice.pass_until(visit.start)

    assert await practice.outcomes(visit, generation=1) == {"24h": CANCELLED, "2h": CANCELLED}
    assert await practice.outcomes(visit, generation=2) == {"24h": SENT, "2h": SENT}


async def test_d44_a_patient_who_is_not_to_be_contacted_is_not_reminded_until_he_may_be_again(
    practice: Practice,
) -> None:
    patient = await practice.new_patient()
    visit = await practice.book(patient, practice.now + 3 * DAY)
    await practice.settle()
    await practice.register(patient, do_not_contact=True)
    await practice.settle()
    barred = await practice.outcomes(visit)
    await practice.pass_until(visit.start - timedelta(hours=12))
    await practice.register(patient, do_not_contact=False)
    await practice.pass_until(visit.start)

    assert barred == {"24h": DO_NOT_CONTACT, "2h": DO_NOT_CONTACT}
    assert await practice.outcomes(visit) == {"24h": DO_NOT_CONTACT, "2h": SENT}
    assert (await practice.channels(patient)).count("sms") == 1
    told = (await practice.client.ask("notifier", "GET", f"/v1/appointments/{visit.id}/timeline"))["entries"]
    assert [entry["what"] for entry in told if entry["what"].startswith("visit.")] == [
        "visit.booked", "visit.barred", "visit.unbarred",
    ]  # fmt: skip
    assert "reminder 24h cancelled: the patient is not to be contacted" in [entry["text"] for entry in told]


async def test_d41_a_cancellation_that_overtook_its_booking_wins(practice: Practice) -> None:
    patient = await practice.new_patient()
    start = practice.now + 2 * DAY
    body = {
        "id": f"a-{practice.mark()}",
        "patient": {"id": patient.source_id},
        "clinic": practice.clinic,
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=30)).isoformat(),
    }
    ask = practice.client.ask
    cancel = {"event_id": f"e-{practice.mark()}", "sequence": 2, "appointment": {**body, "status": "cancelled"}}
    book = {"event_id": f"e-{practice.mark()}", "sequence": 1, "appointment": {**body, "status": "booked"}}
    first = await ask("booking", "POST", "/v1/events", cancel)
    second = await ask("booking", "POST", "/v1/events", book)
    await practice.pass_until(start)

    assert (first["result"], second["result"]) == ("tombstone", "stale")
    assert await practice.client.sub_files_of(str(patient.id)) == []
    assert await practice.channels(patient) == []
