"""R42: a booking comes in, and everything that follows happens."""

from datetime import datetime, timedelta

from tests.support.plain_http import plain_client
from tests.support.practice import Practice

DAY = timedelta(days=1)


async def test_r1_r10_r20_r22_r32_everything_that_follows_a_booking_happens(practice: Practice) -> None:
    patient = await practice.new_patient()
    visit = await practice.book(patient, practice.now + 3 * DAY)
    await practice.settle()

    [sub_file] = await practice.client.sub_files(visit.id)
    assert sub_file["number"] == f"{patient.main_file}-{practice.clinic}-01"
    assert sub_file["status"] == "ACTIVE"
    assert sub_file["provider_id"] == practice.provider_id

    reminders = await practice.reminders(visit)
    assert {rule: datetime.fromisoformat(row["scheduled_for"]) for rule, row in reminders.items()} == {
        "24h": visit.start - timedelta(hours=24),
        "2h": visit.start - timedelta(hours=2),
    }
    assert {row["status"] for row in reminders.values()} == {"SCHEDULED"}

    [notice] = await practice.notices(visit)
    assert notice["title"] == "New Appointment Booked"

    [(channel, confirmation)] = await practice.accepted(patient)
    assert channel == "email"
    [invitation] = confirmation["attachments"]
    assert invitation["type"] == "application/ics"
    assert "METHOD:REQUEST" in invitation["content"]
    assert f"DTSTART:{visit.start:%Y%m%dT%H%M%SZ}" in invitation["content"]

    async with plain_client() as browser:
        page = await browser.get(confirmation["unsubscribe"], headers={"Accept": "text/html"})
        void = await browser.get(confirmation["unsubscribe"][:-1], headers={"Accept": "text/html"})
    assert (page.status_code, f"<strong>Clinic {practice.clinic}</strong>" in page.text) == (200, True)
    assert (void.status_code, "<h1>This link does not work.</h1>" in void.text) == (401, True)


async def test_r31_booking_keeps_the_history_of_an_appointment(practice: Practice) -> None:
    visit = await practice.book(await practice.new_patient(), practice.now + 3 * DAY)
    await practice.move(visit, practice.now + 4 * DAY)
    await practice.cancel(visit)

    answer = await practice.client.ask("booking", "GET", f"/v1/appointments/{visit.id}")

    assert [version["status"] for version in answer["history"]] == ["booked", "booked", "cancelled"]


async def test_d41_the_same_event_again_is_answered_the_same_and_changes_nothing(practice: Practice) -> None:
    patient = await practice.new_patient()
    visit = await practice.book(patient, practice.now + 3 * DAY)
    first = await practice.post(visit.body, event_id=f"same-{visit.source_id}")
    again = await practice.post(visit.body, event_id=f"same-{visit.source_id}")
    await practice.settle()

    assert again["result"] == "repeat"
    assert again["version"] == first["version"]
    assert len(await practice.client.sub_files(visit.id)) == 1
    assert len(await practice.notices(visit)) == 1
    assert await practice.channels(patient) == ["email"]
