"""D44: what follows a merge of two files of one person."""

from datetime import timedelta

from tests.support.practice import SOURCE, Practice

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


async def test_d44_after_a_merge_the_reminders_go_to_the_patient_who_is_kept(practice: Practice) -> None:
    kept, double = await practice.new_patient(), await practice.new_patient()
    visit = await practice.book(double, practice.now + 3 * DAY)
    await practice.settle()

    path = f"/v1/patients/{double.source_id}/merge"
    answer = await practice.client.ask("booking", "POST", path, {"into": {"id": kept.source_id}}, source=SOURCE)
    await practice.settle()
    await practice.pass_until(visit.start - HOUR)

    assert answer["merged_into"] == kept.id
    assert await practice.channels(double) == ["email"]  # the confirmation, from before
    assert await practice.channels(kept) == ["sms", "sms"]
    numbers = {row["number"] for row in await practice.client.sub_files(visit.id)}
    assert numbers == {f"{kept.main_file}-{practice.clinic}-01"}
    told = await practice.client.ask("notifier", "GET", f"/v1/appointments/{visit.id}/timeline")
    assert "visit.patient-changed" in [entry["what"] for entry in told["entries"]]
    assert {row["patient_id"] for row in await practice.client.reminders(visit.id)} == {kept.id}
