"""A FHIR booking message, from the door to the mail: R30, and what follows."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stack.demo.acceptances import address_of
from stack.demo.moving import moved, start_of, weeks_ahead
from tests.support.own_clinic import World

EXAMPLES = Path(__file__).parents[2] / "examples" / "fhir"
REQUEST, MOVED, CANCELLED = "booking-request.json", "booking-moved.json", "booking-cancelled.json"

Post = Callable[..., Awaitable[str]]


@pytest.fixture
async def mark(world: World) -> str:
    """Return this test's mark on all that the messages name, with a clinic that they find."""
    mark = world.mark()
    identifiers = [{"system": "https://clinics.example/healthcare-service", "value": f"eye-{mark}"}]
    body = {"name": "Eye Clinic", "zone": "Europe/London", "languages": ["en"], "country": "GB"}
    path = f"/v1/clinics/{await world.new_clinic()}"
    await world.client.ask("booking", "PUT", path, {**body, "identifiers": identifiers})
    return mark


@pytest.fixture
def post(world: World, mark: str) -> Post:
    """Return how to post an example as a message of this test's own; it answers our appointment id."""
    first = start_of((EXAMPLES / REQUEST).read_bytes())
    assert first is not None
    weeks = weeks_ahead(first, world.now)

    async def post(name: str, weeks: int = weeks) -> str:
        text = moved((EXAMPLES / name).read_bytes(), weeks, f"-{mark}").decode()
        text = text.replace("RV-20817", mark).replace('"eye-1"', f'"eye-{mark}"')
        text = text.replace("wren.okafor@", f"wren.{mark.lower()}@")
        answer = await world.client.ask("booking", "POST", "/fhir/R4/$process-message", text.encode())
        await world.settle()
        return str(answer["entry"][1]["resource"]["id"])

    return post


async def mails(world: World, mark: str) -> list[dict[str, Any]]:
    return [m for m in await world.client.accepted() if address_of(m) == f"wren.{mark.lower()}@example.org"]


async def test_r30_a_fhir_message_becomes_sub_file_reminders_notice_and_mail(
    world: World, mark: str, post: Post
) -> None:
    appointment = await post(REQUEST)

    [sub_file] = await world.client.sub_files(appointment)
    assert sub_file["number"].startswith("FILE-")
    reminders = await world.client.reminders(appointment)
    assert {(row["rule"], row["status"]) for row in reminders} == {("24h", "SCHEDULED"), ("2h", "SCHEDULED")}
    notices = [n for n in await world.client.inbox(sub_file["provider_id"]) if n["appointment_id"] == appointment]
    assert [notice["title"] for notice in notices] == ["New Appointment Booked"]
    [mail] = await mails(world, mark)
    assert [a["type"] for a in mail["attachments"]] == ["text/calendar"]


async def test_r14_d10_later_messages_about_the_same_focus_move_and_cancel_the_visit(
    world: World, mark: str, post: Post
) -> None:
    appointment = await post(REQUEST)
    assert [await post(MOVED), await post(CANCELLED)] == [appointment] * 2

    reminders = await world.client.reminders(appointment)
    assert {(row["schedule_gen"], row["reason"]) for row in reminders} == {
        (1, "RESCHEDULED"),
        (2, "APPOINTMENT_CANCELLED"),
    }


async def test_d37_a_message_about_a_past_visit_makes_records_and_sends_nothing(
    world: World, mark: str, post: Post
) -> None:
    appointment = await post(REQUEST, weeks=-52)

    assert len(await world.client.sub_files(appointment)) == 1
    assert {row["reason"] for row in await world.client.reminders(appointment)} == {"DUE_IN_PAST"}
    assert await mails(world, mark) == []


async def test_d41_the_same_message_again_is_one_visit(world: World, mark: str, post: Post) -> None:
    assert await post(REQUEST) == await post(REQUEST)
    await world.pass_until(world.now + timedelta(minutes=1))
    assert len(await mails(world, mark)) == 1
