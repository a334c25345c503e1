"""R42: one main file, one sub-file a clinic, whatever is repeated and in whatever order."""

import asyncio
from datetime import timedelta

from tests.support.own_clinic import World

DAY = timedelta(days=1)


async def test_r1_r3_each_clinic_gets_one_sub_file_and_only_one(world: World) -> None:
    patient = await world.new_patient()
    elsewhere = await world.new_clinic("Asia/Tokyo")
    for day in (2, 3, 4):
        await world.book(patient, world.now + day * DAY)
    await world.book(patient, world.now + 5 * DAY, clinic=elsewhere)
    await world.settle()

    numbers = {row["number"] for row in await world.client.sub_files_of(str(patient.id))}
    assert numbers == {f"{patient.main_file}-{world.clinic}-01", f"{patient.main_file}-{elsewhere}-01"}


async def test_r3_r8_twenty_bookings_at_once_open_one_sub_file(world: World) -> None:
    patient = await world.new_patient()
    await asyncio.gather(*(world.book(patient, world.now + (2 + n) * DAY) for n in range(20)))
    await world.settle()

    assert [row["status"] for row in await world.client.sub_files_of(str(patient.id))] == ["ACTIVE"]


async def test_r7_d5_without_a_main_file_the_sub_file_is_parked_and_completed_on_registration(world: World) -> None:
    patient = await world.new_patient(registered=False)
    visit = await world.book(patient, world.now + 2 * DAY)
    await world.settle()
    [parked] = await world.client.sub_files(visit.id)
    assert (parked["status"], parked["number"]) == ("PARKED", None)
    assert len(await world.notices(visit)) == 1

    await world.register(patient)
    await world.settle()

    [completed] = await world.client.sub_files(visit.id)
    assert completed["sub_file_id"] == parked["sub_file_id"]
    assert (completed["status"], completed["number"]) == ("ACTIVE", f"{patient.main_file}-{world.clinic}-01")


async def test_d3_proposals_and_waitlists_open_none_and_a_cancellation_leaves_it(world: World) -> None:
    proposed, cancelled = await world.new_patient(), await world.new_patient()
    await world.book(proposed, world.now + 2 * DAY, status="proposed")
    await world.book(proposed, world.now + 2 * DAY, status="waitlist")
    await world.cancel(await world.book(cancelled, world.now + 2 * DAY))
    await world.settle()

    assert await world.client.sub_files_of(str(proposed.id)) == []
    assert len(await world.client.sub_files_of(str(cancelled.id))) == 1


async def test_d6_an_unknown_provider_is_filled_in_when_he_becomes_known(world: World) -> None:
    stranger = f"dr-{world.mark()}"
    visit = await world.book(await world.new_patient(), world.now + 2 * DAY, provider={"id": stranger})
    await world.settle()
    [before] = await world.client.sub_files(visit.id)

    body = {"name": "Dr Late"}
    answer = await world.client.ask("booking", "PUT", f"/v1/providers/{stranger}", body, source="local")
    await world.settle()

    [after] = await world.client.sub_files(visit.id)
    assert (before["provider_id"], after["provider_id"]) == (None, answer["provider_id"])
