"""D44: what follows a merge of two files of one person."""

from datetime import timedelta

from tests.support.own_clinic import SOURCE, World

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


async def test_d44_after_a_merge_the_reminders_go_to_the_patient_who_is_kept(world: World) -> None:
    kept, double = await world.new_patient(), await world.new_patient()
    visit = await world.book(double, world.now + 3 * DAY)
    await world.settle()

    path = f"/v1/patients/{double.source_id}/merge"
    answer = await world.client.ask("booking", "POST", path, {"into": {"id": kept.source_id}}, source=SOURCE)
    await world.settle()
    await world.pass_until(visit.start - HOUR)

    assert answer["merged_into"] == kept.id
    assert await world.channels(double) == ["email"]  # the confirmation, from before
    assert await world.channels(kept) == ["sms", "sms"]
    numbers = {row["number"] for row in await world.client.sub_files(visit.id)}
    assert numbers == {f"{kept.main_file}-{world.clinic}-01"}
    told = await world.client.ask("notifier", "GET", f"/v1/appointments/{visit.id}/timeline")
    assert "visit.patient-changed" in [entry["what"] for entry in told["entries"]]
    assert {row["patient_id"] for row in await world.client.reminders(visit.id)} == {kept.id}
