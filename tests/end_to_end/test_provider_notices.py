"""R42: the provider is told of a new appointment, at once and once."""

from datetime import timedelta

from tests.support.practice import Practice

DAY = timedelta(days=1)


async def test_r20_the_provider_is_told_who_comes_when_and_for_what(practice: Practice) -> None:
    visit = await practice.book(await practice.new_patient(), practice.now + 2 * DAY)
    await practice.settle()

    [notice] = await practice.notices(visit)
    text = str(notice)
    assert notice["title"] == "New Appointment Booked"
    assert "Ada Abara" in text
    assert "Physiotherapy" in text
    assert visit.id in text


async def test_r20_notices_are_numbered_without_gaps_so_that_a_stream_can_resume(practice: Practice) -> None:
    visits = [await practice.book(await practice.new_patient(), practice.now + (2 + n) * DAY) for n in range(5)]
    await practice.settle()

    rows = await practice.client.inbox(practice.provider_id)
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5]
    assert {row["appointment_id"] for row in rows} == {visit.id for visit in visits}


async def test_r21_r40_an_unknown_provider_stops_nothing_else(practice: Practice) -> None:
    patient = await practice.new_patient()
    visit = await practice.book(patient, practice.now + 2 * DAY, provider={"id": f"dr-{practice.mark()}"})
    await practice.settle()

    assert await practice.notices(visit) == []
    assert len(await practice.client.sub_files(visit.id)) == 1
    assert set(await practice.reminders(visit)) == {"24h", "2h"}
    assert await practice.channels(patient) == ["email"]


async def test_d37_nothing_is_said_about_a_visit_that_is_past(practice: Practice) -> None:
    patient = await practice.new_patient()
    visit = await practice.book(patient, practice.now - 30 * DAY)
    await practice.settle()

    assert await practice.notices(visit) == []
    assert await practice.channels(patient) == []
    assert len(await practice.client.sub_files(visit.id)) == 1
