"""The inbox, its stream, and the API's manners."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import httpx2
import orjson
import pytest

from schemas.reminders import Reason
from tests.support.notifier.running import KEY, World
from tests.support.waiting import until

pytestmark = pytest.mark.integration


async def stream(world: World, provider: UUID, **headers: str) -> AsyncIterator[tuple[int, str]]:
    """Give (number, appointment id) of each event of a provider's stream."""
    url = f"http://127.0.0.1:{world.port}/v1/inbox/{provider}/stream"
    async with world.http.stream("GET", url, headers=headers, timeout=120) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        number = 0
        async for line in response.aiter_lines():
            if line.startswith("id: "):
                number = int(line.removeprefix("id: "))
            if line.startswith("data: "):
                yield number, orjson.loads(line.removeprefix("data: "))["appointment_id"]


async def first(events: AsyncIterator[tuple[int, str]], wanted: int) -> list[tuple[int, str]]:
    found = []
    async for event in events:
        found.append(event)
        if len(found) == wanted:
            break
    return found


async def test_r20_a_stream_gives_old_notices_then_new_ones_and_resumes_without_a_gap(world: World) -> None:
    patient, provider = await world.patient(), await world.provider()
    await world.start(lanes=())
    old = [await world.book(patient, provider) for _ in range(3)]
    await world.settled(old[-1], "provider-booked", "accepted")

    listening = asyncio.create_task(first(stream(world, provider), 5))
    new = [await world.book(patient, provider) for _ in range(2)]
    seen = await listening

    assert [number for number, _ in seen] == [1, 2, 3, 4, 5]
    assert {appointment for _, appointment in seen} == {str(visit.appointment_id) for visit in (*old, *new)}
    assert await first(stream(world, provider, **{"Last-Event-ID": "3"}), 2) == seen[3:]


async def test_r20_numbers_have_no_gap_though_many_partitions_write_at_once(world: World) -> None:
    patient, providers = await world.patient(), [await world.provider() for _ in range(3)]
    visits = [world.visit(patient, providers[n % 3]) for n in range(90)]
    for visit in visits:
        await world.hold(visit)
    await world.start(lanes=())
    listening = asyncio.create_task(first(stream(world, providers[0]), 30))
    await world.publish(*visits)

    seen = await listening

    assert [number for number, _ in seen] == list(range(1, 31))
    assert {appointment for _, appointment in seen} == {str(visit.appointment_id) for visit in visits[0::3]}


async def test_pages_and_read_marks(world: World) -> None:
    patient, provider = await world.patient(), await world.provider()
    await world.start(lanes=())
    for visit in [await world.book(patient, provider) for _ in range(3)]:
        await world.settled(visit, "provider-booked", "accepted")

    first_page = (await world.ask("GET", f"/v1/inbox/{provider}", params={"limit": 2})).json()
    second_page = (await world.ask("GET", f"/v1/inbox/{provider}", params={"after": first_page["next_after"]})).json()
    read = (await world.ask("PUT", f"/v1/inbox/{provider}/2/read")).json()
    world.step(timedelta(hours=1))
    again = (await world.ask("PUT", f"/v1/inbox/{provider}/2/read")).json()
    unread = (await world.ask("GET", f"/v1/inbox/{provider}", params={"unread": True})).json()
    missing = await world.ask("PUT", f"/v1/inbox/{provider}/9/read")

    assert [one["number"] for one in first_page["items"]] == [1, 2]
    assert ([one["number"] for one in second_page["items"]], second_page["next_after"]) == ([3], None)
    assert read == again
    assert [one["number"] for one in unread["items"]] == [1, 3]
    assert (missing.status_code, missing.json()["code"]) == (404, "NO_SUCH_NOTICE")


async def test_g9_nothing_is_told_without_the_operators_key_and_no_nonsense_is_held(world: World) -> None:
    await world.start(lanes=())
    some = uuid4()
    doors = (
        ("GET", f"/v1/inbox/{some}"),
        ("GET", f"/v1/inbox/{some}/stream"),
        ("PUT", f"/v1/inbox/{some}/1/read"),
        ("GET", f"/v1/notifications?appointment={some}"),
        ("GET", f"/v1/patients/{some}/preferences"),
        ("PUT", f"/v1/patients/{some}/preferences"),
    )
    keys: tuple[dict[str, str], ...] = ({}, {"Authorization": f"Bearer {KEY}x"})
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{world.port}") as stranger:
        answers = [await stranger.request(method, path, headers=key) for method, path in doors for key in keys]

    assert {answer.status_code for answer in answers} == {401}
    await preferences_that_are_none_are_refused(world)


async def preferences_that_are_none_are_refused(world: World) -> None:
    path = f"/v1/patients/{uuid4()}/preferences"
    bodies = (
        '{"sms": true}',
        '{"sms":1,"whatsapp":true,"email":true}',
        '{"sms":true,"whatsapp":true,"email":true,"x":1}',
        "{",
    )

    json = {"Content-Type": "application/json"}
    refused = [await world.ask("PUT", path, content=body, headers=json) for body in bodies]

    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(422, "INVALID_REQUEST")}
    assert (await world.ask("GET", path)).status_code == 404


async def test_r25_the_api_says_what_became_of_each_message_and_each_call(world: World) -> None:
    patient = await world.patient(email=None)
    world.carriers.script(await world.address(patient, "mobile"), 503)
    world.carriers.retry_after_s = 600
    await world.start()
    visit = await world.book(patient)
    path = f"/v1/notifications?appointment={visit.appointment_id}"

    async def refused() -> bool:
        items = (await world.ask("GET", path)).json()["items"]
        return any(one["calls"] and one["calls"][0]["outcome"] for one in items)

    await until(refused)
    clock = (await world.look("/clock")).json()
    items = (await world.ask("GET", path)).json()["items"]
    [confirmation] = [one for one in items if one["kind"] == "confirmation"]
    [notice] = [one for one in items if one["kind"] == "provider-booked"]

    assert (confirmation["state"], confirmation["outcome"], confirmation["channel"]) == ("queued", None, "sms")
    assert [(call["outcome"], call["code"]) for call in confirmation["calls"]] == [("not-accepted", "HTTP_503_503")]
    assert (notice["outcome"], notice["reason"]) == ("skipped", "UNKNOWN_PROVIDER")
    assert datetime.fromisoformat(clock["next_wake_at"]) == datetime.fromisoformat(confirmation["next_attempt_at"])


async def test_a_new_installation_messages_only_its_allow_list(world: World) -> None:
    listed, other = await world.patient(), await world.patient()
    await world.start(sending_mode="allow-list", allow_list=await world.address(listed, "email"))
    first_visit, second_visit = await world.book(listed), await world.book(other)

    await world.settled(first_visit, "confirmation", "accepted")
    row = await world.settled(second_visit, "confirmation", "skipped")

    assert row["reason"] == Reason.HELD
    assert len(world.carriers.taken) == 1


async def test_in_hold_messages_wait_until_their_deadline_and_providers_are_told(world: World) -> None:
    provider = await world.provider()
    await world.start(sending_mode="hold")
    visit = await world.book(await world.patient(), provider)
    await world.settled(visit, "provider-booked", "accepted")
    row = await world.settled(visit, "confirmation", "queued")

    async def idle() -> bool:
        return bool((await world.look("/clock")).json()["idle"])

    await until(idle)
    clock = (await world.look("/clock")).json()
    world.step(timedelta(days=3))
    after = await world.settled(visit, "confirmation", "skipped")

    assert datetime.fromisoformat(clock["next_wake_at"]) == row["not_after"]
    assert after["reason"] == Reason.HELD
    assert world.carriers.asked == []
