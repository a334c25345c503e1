"""B1: for a visit, everything decided about it and why, from every service; and the answer in the terminal."""

import asyncio
from datetime import timedelta
from typing import Any

from stack.demo.installation import Installation
from tests.support.practice import Practice, Visit
from tests.support.why import attend_why

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


async def timeline(practice: Practice, visit: Visit) -> dict[str, Any]:
    """Return the timeline once every part has answered in time, which takes a machine that is not too busy."""
    async with asyncio.timeout(60):
        while True:
            told: dict[str, Any] = await practice.client.ask("notifier", "GET", f"/v1/appointments/{visit.id}/timeline")
            if not told["missing"]:
                return told
            await asyncio.sleep(0.2)


async def test_b1_a_visit_that_went_well_is_told_from_the_booking_to_the_last_reminder(
    practice: Practice, running: Installation
) -> None:
    patient = await practice.new_patient()
    visit = await practice.book(patient, practice.now + 3 * DAY)
    await practice.settle()
    await practice.pass_until(visit.start - HOUR)

    told = await timeline(practice, visit)

    assert told["missing"] == []
    assert (told["source_id"], told["status"], told["zone"]) == (visit.source_id, "booked", "Europe/London")
    whats = [entry["what"] for entry in told["entries"]]
    assert whats[0] == "visit.booked"
    for what, times in (
        ("sub-file.active", 1),
        ("reminder.planned", 2),
        ("reminder.handed-over", 2),
        ("call.accepted", 3),
    ):
        assert whats.count(what) == times, whats
    assert [entry["at"] for entry in told["entries"]] == sorted(entry["at"] for entry in told["entries"])
    assert {entry["source"] for entry in told["entries"]} >= {"booking", "records", "reminders", "notifier", "carrier"}
    assert [got.split(" at ")[0].split(",")[0] for got in told["answer"]["got"]] == [
        "confirmation by email", "reminder 24h by SMS", "reminder 2h by SMS",
    ]  # fmt: skip
    for named in (visit.id, visit.id[:20], f"local:{visit.source_id}"):
        code, lines = await attend_why(running, named)
        assert code == 0, lines
        assert visit.id in lines[0]
        assert any("the carrier accepted it" in line for line in lines)


async def test_b1_a_patient_who_got_nothing_is_told_why(practice: Practice, running: Installation) -> None:
    patient = await practice.new_patient(mobile=None, email=None)
    visit = await practice.book(patient, practice.now + 20 * HOUR)
    await practice.settle()
    await practice.change(visit, status="cancelled")
    await practice.settle()
    await practice.pass_until(practice.now + HOUR)

    told = await timeline(practice, visit)

    assert told["answer"]["got"] == []
    reasons = {(entry["what"], entry["reason"]) for entry in told["entries"] if entry["reason"]}
    assert {
        ("reminder.not-planned", "DUE_IN_PAST"),
        ("message.skipped", "NO_CONTACT"),
        ("reminder.cancelled", "APPOINTMENT_CANCELLED"),
    } <= reasons
    code, lines = await attend_why(running, visit.id)
    assert code == 0
    assert "The patient got nothing." in " ".join(lines), lines
    assert all(entry["caused_by"] for entry in told["entries"] if entry["source"] in {"reminders", "notifier"})
