"""R42: what is cancelled or moved is never reminded, and what is moved is reminded at its new time."""

from datetime import timedelta

from tests.support.own_clinic import World

DAY = timedelta(days=1)
CANCELLED = ("CANCELLED", "APPOINTMENT_CANCELLED")
DO_NOT_CONTACT = ("CANCELLED", "DO_NOT_CONTACT")
RESCHEDULED = ("CANCELLED", "RESCHEDULED")
SENT = ("SENT", None)


async def test_r14_r26_cancelling_cancels_both_reminders_and_nothing_is_sent(world: World) -> None:
    patient = await world.new_patient()
    visit = await world.book(patient, world.now + 3 * DAY)
    await world.settle()
    await world.cancel(visit)
    await world.pass_until(visit.start)

    assert await world.outcomes(visit) == {"24h": CANCELLED, "2h": CANCELLED}
    assert "sms" not in await world.channels(patient)


async def test_r14_cancelling_between_the_reminders_keeps_what_was_sent(world: World) -> None:
    patient = await world.new_patient()
    visit = await world.book(patient, world.now + 3 * DAY)
    await world.pass_until(visit.start - timedelta(hours=12))
    await world.cancel(visit)
    await world.pass_until(visit.start)

    assert await world.outcomes(visit) == {"24h": SENT, "2h": CANCELLED}
    assert (await world.channels(patient)).count("sms") == 1


async def test_d10_a_move_plans_anew_for_the_new_time(world: World) -> None:
    patient = await world.new_patient()
    visit = await world.book(patient, world.now + 2 * DAY)
    await world.settle()
    await world.move(visit, world.now + 4 * DAY)
    await world.pass_until(visit.start)

    assert await world.outcomes(visit, generation=1) == {"24h": RESCHEDULED, "2h": RESCHEDULED}
    assert await world.outcomes(visit, generation=2) == {"24h": SENT, "2h": SENT}
    assert (await world.channels(patient)).count("sms") == 2


async def test_d10_a_cancelled_visit_that_is_booked_again_is_planned_anew(world: World) -> None:
    visit = await world.book(await world.new_patient(), world.now + 2 * DAY)
    await world.settle()
    await world.cancel(visit)
    await world.settle()
    await world.change(visit, status="booked")
    await world.pass_until(visit.start)

    assert await world.outcomes(visit, generation=1) == {"24h": CANCELLED, "2h": CANCELLED}
    assert await world.outcomes(visit, generation=2) == {"24h": SENT, "2h": SENT}


async def test_d44_a_patient_who_is_not_to_be_contacted_is_not_reminded_until_he_may_be_again(world: World) -> None:
    patient = await world.new_patient()
    visit = await world.book(patient, world.now + 3 * DAY)
    await world.settle()
    await world.register(patient, do_not_contact=True)
    await world.settle()
    barred = await world.outcomes(visit)
    await world.pass_until(visit.start - timedelta(hours=12))
    await world.register(patient, do_not_contact=False)
    await world.pass_until(visit.start)

    assert barred == {"24h": DO_NOT_CONTACT, "2h": DO_NOT_CONTACT}
    assert await world.outcomes(visit) == {"24h": DO_NOT_CONTACT, "2h": SENT}
    assert (await world.channels(patient)).count("sms") == 1
    told = (await world.client.ask("notifier", "GET", f"/v1/appointments/{visit.id}/timeline"))["entries"]
    assert [entry["what"] for entry in told if entry["what"].startswith("visit.")] == [
        "visit.booked", "visit.barred", "visit.unbarred",
    ]  # fmt: skip
    assert "reminder 24h cancelled: the patient is not to be contacted" in [entry["text"] for entry in told]


async def test_d41_a_cancellation_that_overtook_its_booking_wins(world: World) -> None:
    patient = await world.new_patient()
    start = world.now + 2 * DAY
    body = {
        "id": f"a-{world.mark()}",
        "patient": {"id": patient.source_id},
        "clinic": world.clinic,
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=30)).isoformat(),
    }
    ask = world.client.ask
    cancel = {"event_id": f"e-{world.mark()}", "sequence": 2, "appointment": {**body, "status": "cancelled"}}
    book = {"event_id": f"e-{world.mark()}", "sequence": 1, "appointment": {**body, "status": "booked"}}
    first = await ask("booking", "POST", "/v1/events", cancel)
    second = await ask("booking", "POST", "/v1/events", book)
    await world.pass_until(start)

    assert (first["result"], second["result"]) == ("tombstone", "stale")
    assert await world.client.sub_files_of(str(patient.id)) == []
    assert await world.channels(patient) == []
