"""R42: a booking comes in, and everything that follows happens."""

from datetime import datetime, timedelta

from tests.support.own_clinic import World

DAY = timedelta(days=1)


async def test_r1_r10_r20_r22_r32_everything_that_follows_a_booking_happens(world: World) -> None:
    patient = await world.new_patient()
    visit = await world.book(patient, world.now + 3 * DAY)
    await world.settle()

    [sub_file] = await world.client.sub_files(visit.id)
    assert sub_file["number"] == f"{patient.main_file}-{world.clinic}-01"
    assert sub_file["status"] == "ACTIVE"
    assert sub_file["provider_id"] == world.provider_id

    reminders = await world.reminders(visit)
    assert {rule: datetime.fromisoformat(row["scheduled_for"]) for rule, row in reminders.items()} == {
        "24h": visit.start - timedelta(hours=24),
        "2h": visit.start - timedelta(hours=2),
    }
    assert {row["status"] for row in reminders.values()} == {"SCHEDULED"}

    [notice] = await world.notices(visit)
    assert notice["title"] == "New Appointment Booked"

    [(channel, confirmation)] = await world.accepted(patient)
    assert channel == "email"
    [invitation] = confirmation["attachments"]
    assert invitation["type"] == "text/calendar"
    assert "METHOD:REQUEST" in invitation["content"]
    assert f"DTSTART:{visit.start:%Y%m%dT%H%M%SZ}" in invitation["content"]


async def test_r31_booking_keeps_the_history_of_an_appointment(world: World) -> None:
    visit = await world.book(await world.new_patient(), world.now + 3 * DAY)
    await world.move(visit, world.now + 4 * DAY)
    await world.cancel(visit)

    answer = await world.client.ask("booking", "GET", f"/v1/appointments/{visit.id}")

    assert [version["status"] for version in answer["history"]] == ["booked", "booked", "cancelled"]


async def test_d41_the_same_event_again_is_answered_the_same_and_changes_nothing(world: World) -> None:
    patient = await world.new_patient()
    visit = await world.book(patient, world.now + 3 * DAY)
    first = await world.post(visit.body, event_id=f"same-{visit.source_id}")
    again = await world.post(visit.body, event_id=f"same-{visit.source_id}")
    await world.settle()

    assert again["result"] == "repeat"
    assert again["version"] == first["version"]
    assert len(await world.client.sub_files(visit.id)) == 1
    assert len(await world.notices(visit)) == 1
    assert await world.channels(patient) == ["email"]
