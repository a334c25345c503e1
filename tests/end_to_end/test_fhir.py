"""A FHIR booking message, from the door to the mail: R30, and what follows."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stack.demo.found import address_of
from stack.demo.new_dates import moved, start_of, weeks_ahead
from tests.support.practice import Practice

EXAMPLES = Path(__file__).parents[2] / "examples" / "fhir"
REQUEST, MOVED, CANCELLED = "booking-request.json", "booking-moved.json", "booking-cancelled.json"

Post = Callable[..., Awaitable[str]]


@pytest.fixture
async def mark(practice: Practice) -> str:
    """Return this test's mark on all that the messages name, with a clinic that they find."""
    mark = practice.mark()
    identifiers = [{"system": "https://clinics.example/healthcare-service", "value": f"eye-{mark}"}]
    body = {"name": "Eye Clinic", "zone": "Europe/London", "languages": ["en"], "country": "GB"}
    path = f"/v1/clinics/{await practice.new_clinic()}"
    await practice.client.ask("booking", "PUT", path, {**body, "identifiers": identifiers})
    return mark


@pytest.fixture
def post(practice: Practice, mark: str) -> Post:
    """Return how to post an example as a message of this test's own; it answers our appointment id."""
    first = start_of((EXAMPLES / REQUEST).read_bytes())
    assert first is not None
    weeks = weeks_ahead(first, practice.now)

    async def post(name: str, weeks: int = weeks) -> str:
        text = moved((EXAMPLES / name).read_bytes(), weeks, f"-{mark}").decode()
        text = text.replace("RV-20817", mark).replace('"eye-1"', f'"eye-{mark}"')
        text = text.replace("wren.okafor@", f"wren.{mark.lower()}@")
        answer = await practice.client.ask("booking", "POST", "/fhir/R4/$process-message", text.encode())
        await practice.settle()
        return str(answer["entry"][1]["resource"]["id"])

    return post


async def mails(practice: Practice, mark: str) -> list[dict[str, Any]]:
    return [m for m in await practice.client.accepted() if address_of(m) == f"wren.{mark.lower()}@example.org"]


async def test_r30_a_fhir_message_becomes_sub_file_reminders_notice_and_mail(
    practice: Practice, mark: str, post: Post
) -> None:
    appointment = await post(REQUEST)

    [sub_file] = await practice.client.sub_files(appointment)
    assert sub_file["number"].startswith("FILE-")
    reminders = await practice.client.reminders(appointment)
    assert {(row["rule"], row["status"]) for row in reminders} == {("24h", "SCHEDULED"), ("2h", "SCHEDULED")}
    notices = [n for n in await practice.client.inbox(sub_file["provider_id"]) if n["appointment_id"] == appointment]
    assert [notice["title"] for notice in notices] == ["New Appointment Booked"]
    [mail] = await mails(practice, mark)
    assert [a["type"] for a in mail["attachments"]] == ["application/ics"]


async def test_r14_d10_later_messages_about_the_same_focus_move_and_cancel_the_visit(
    practice: Practice, mark: str, post: Post
) -> None:
    appointment = await post(REQUEST)
    assert [await post(MOVED), await post(CANCELLED)] == [appointment] * 2

    reminders = await practice.client.reminders(appointment)
    assert {(row["schedule_gen"], row["reason"]) for row in reminders} == {
        (1, "RESCHEDULED"),
        (2, "APPOINTMENT_CANCELLED"),
    }


async def test_d37_a_message_about_a_past_visit_makes_records_and_sends_nothing(
    practice: Practice, mark: str, post: Post
) -> None:
    appointment = await post(REQUEST, weeks=-52)

    assert len(await practice.client.sub_files(appointment)) == 1
    assert {row["reason"] for row in await practice.client.reminders(appointment)} == {"DUE_IN_PAST"}
    assert await mails(practice, mark) == []


async def test_d41_the_same_message_again_is_one_visit(practice: Practice, mark: str, post: Post) -> None:
    assert await post(REQUEST) == await post(REQUEST)
    await practice.pass_until(practice.now + timedelta(minutes=1))
    assert len(await mails(practice, mark)) == 1
