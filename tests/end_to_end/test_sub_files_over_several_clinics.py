"""R42: one main file, one sub-file a clinic, whatever is repeated and in whatever order."""

import asyncio
from datetime import timedelta

from tests.support.practice import Practice

DAY = timedelta(days=1)


async def test_r1_r3_each_clinic_gets_one_sub_file_and_only_one(practice: Practice) -> None:
    patient = await practice.new_patient()
    elsewhere = await practice.new_clinic("Asia/Tokyo")
    for day in (2, 3, 4):
        await practice.book(patient, practice.now + day * DAY)
    await practice.book(patient, practice.now + 5 * DAY, clinic=elsewhere)
    await practice.settle()

    numbers = {row["number"] for row in await practice.client.sub_files_of(str(patient.id))}
    assert numbers == {f"{patient.main_file}-{practice.clinic}-01", f"{patient.main_file}-{elsewhere}-01"}


async def test_r3_r8_twenty_bookings_at_once_open_one_sub_file(practice: Practice) -> None:
    patient = await practice.new_patient()
    await asyncio.gather(*(practice.book(patient, practice.now + (2 + n) * DAY) for n in range(20)))
    await practice.settle()

    assert [row["status"] for row in await practice.client.sub_files_of(str(patient.id))] == ["ACTIVE"]


async def test_r7_d5_without_a_main_file_the_sub_file_is_parked_and_completed_on_registration(
    practice: Practice,
) -> None:
    patient = await practice.new_patient(registered=False)
    visit = await practice.book(patient, practice.now + 2 * DAY)
    await practice.settle()
    [parked] = await practice.client.sub_files(visit.id)
    assert (parked["status"], parked["number"]) == ("PARKED", None)
    assert len(await practice.notices(visit)) == 1

    await practice.register(patient)
    await practice.settle()

    [completed] = await practice.client.sub_files(visit.id)
    assert completed["sub_file_id"] == parked["sub_file_id"]
    assert (completed["status"], completed["number"]) == ("ACTIVE", f"{patient.main_file}-{practice.clinic}-01")


async def test_d3_proposals_and_waitlists_open_none_and_a_cancellation_leaves_it(practice: Practice) -> None:
    proposed, cancelled = await practice.new_patient(), await practice.new_patient()
    await practice.book(proposed, practice.now + 2 * DAY, status="proposed")
    await practice.book(proposed, practice.now + 2 * DAY, status="waitlist")
    await practice.cancel(await practice.book(cancelled, practice.now + 2 * DAY))
    await practice.settle()

    assert await practice.client.sub_files_of(str(proposed.id)) == []
    assert len(await practice.client.sub_files_of(str(cancelled.id))) == 1


async def test_d6_an_unknown_provider_is_filled_in_when_he_becomes_known(practice: Practice) -> None:
    stranger = f"dr-{practice.mark()}"
    visit = await practice.book(await practice.new_patient(), practice.now + 2 * DAY, provider={"id": stranger})
    await practice.settle()
    [before] = await practice.client.sub_files(visit.id)

    body = {"name": "Dr Late"}
    answer = await practice.client.ask("booking", "PUT", f"/v1/providers/{stranger}", body, source="local")
    await practice.settle()

    [after] = await practice.client.sub_files(visit.id)
    assert (before["provider_id"], after["provider_id"]) == (None, answer["provider_id"])
