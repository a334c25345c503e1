"""R42: the provider is told of a new appointment, at once and once."""

from datetime import timedelta

from tests.support.own_clinic import World

DAY = timedelta(days=1)


async def test_r20_the_provider_is_told_who_comes_when_and_for_what(world: World) -> None:
    visit = await world.book(await world.new_patient(), world.now + 2 * DAY)
    await world.settle()

    [notice] = await world.notices(visit)
    text = str(notice)
    assert notice["title"] == "New Appointment Booked"
    assert "Ada Abara" in text
    assert "Physiotherapy" in text
    assert visit.id in text


async def test_r20_notices_are_numbered_without_gaps_so_that_a_stream_can_resume(world: World) -> None:
    visits = [await world.book(await world.new_patient(), world.now + (2 + n) * DAY) for n in range(5)]
    await world.settle()

    rows = await world.client.inbox(world.provider_id)
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5]
    assert {row["appointment_id"] for row in rows} == {visit.id for visit in visits}


async def test_r21_r40_an_unknown_provider_stops_nothing_else(world: World) -> None:
    patient = await world.new_patient()
    visit = await world.book(patient, world.now + 2 * DAY, provider={"id": f"dr-{world.mark()}"})
    await world.settle()

    assert await world.notices(visit) == []
    assert len(await world.client.sub_files(visit.id)) == 1
    assert set(await world.reminders(visit)) == {"24h", "2h"}
    assert await world.channels(patient) == ["email"]


async def test_d37_nothing_is_said_about_a_visit_that_is_past(world: World) -> None:
    patient = await world.new_patient()
    visit = await world.book(patient, world.now - 30 * DAY)
    await world.settle()

    assert await world.notices(visit) == []
    assert await world.channels(patient) == []
    assert len(await world.client.sub_files(visit.id)) == 1
