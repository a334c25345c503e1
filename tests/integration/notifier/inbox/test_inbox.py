"""The inbox, its stream, and the API's manners."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import orjson
import pytest

from schemas.reminders import Reason
from tests.support.notifier.running import KEY, RunningNotifier
from tests.support.plain_http import plain_client
from tests.support.waiting import until

pytestmark = pytest.mark.integration


async def stream(notifier: RunningNotifier, provider: UUID, **headers: str) -> AsyncIterator[tuple[int, str]]:
    """Give (number, appointment id) of each event of a provider's stream."""
    url = f"http://127.0.0.1:{notifier.port}/v1/inbox/{provider}/stream"
    async with notifier.http.stream("GET", url, headers=headers, timeout=120) as response:
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


async def test_r20_a_stream_gives_old_notices_then_new_ones_and_resumes_without_a_gap(
    notifier: RunningNotifier,
) -> None:
    patient, provider = await notifier.patient(), await notifier.provider()
    await notifier.start(lanes=())
    old = [await notifier.book(patient, provider) for _ in range(3)]
    await notifier.settled(old[-1], "provider-booked", "accepted")

    listening = asyncio.create_task(first(stream(notifier, provider), 5))
    new = [await notifier.book(patient, provider) for _ in range(2)]
    seen = await listening

    assert [number for number, _ in seen] == [1, 2, 3, 4, 5]
    assert {appointment for _, appointment in seen} == {str(visit.appointment_id) for visit in (*old, *new)}
    assert await first(stream(notifier, provider, **{"Last-Event-ID": "3"}), 2) == seen[3:]


async def test_r20_numbers_have_no_gap_though_many_partitions_write_at_once(notifier: RunningNotifier) -> None:
    patient, providers = await notifier.patient(), [await notifier.provider() for _ in range(3)]
    visits = [notifier.visit(patient, providers[n % 3]) for n in range(90)]
    for visit in visits:
        await notifier.hold(visit)
    await notifier.start(lanes=())
    listening = asyncio.create_task(first(stream(notifier, providers[0]), 30))
    await notifier.publish(*visits)

    seen = await listening

    assert [number for number, _ in seen] == list(range(1, 31))
    assert {appointment for _, appointment in seen} == {str(visit.appointment_id) for visit in visits[0::3]}


async def test_pages_and_read_marks(notifier: RunningNotifier) -> None:
    patient, provider = await notifier.patient(), await notifier.provider()
    await notifier.start(lanes=())
    for visit in [await notifier.book(patient, provider) for _ in range(3)]:
        await notifier.settled(visit, "provider-booked", "accepted")

    first_page = (await notifier.ask("GET", f"/v1/inbox/{provider}", params={"limit": 2})).json()
    second_page = (
        await notifier.ask("GET", f"/v1/inbox/{provider}", params={"after": first_page["next_after"]})
    ).json()
    read = (await notifier.ask("PUT", f"/v1/inbox/{provider}/2/read")).json()
    notifier.step(timedelta(hours=1))
    again = (await notifier.ask("PUT", f"/v1/inbox/{provider}/2/read")).json()
    unread = (await notifier.ask("GET", f"/v1/inbox/{provider}", params={"unread": True})).json()
    missing = await notifier.ask("PUT", f"/v1/inbox/{provider}/9/read")

    assert [one["number"] for one in first_page["items"]] == [1, 2]
    assert ([one["number"] for one in second_page["items"]], second_page["next_after"]) == ([3], None)
    assert read == again
    assert [one["number"] for one in unread["items"]] == [1, 3]
    assert (missing.status_code, missing.json()["code"]) == (404, "NO_SUCH_NOTICE")


async def test_g9_nothing_is_told_without_the_operators_key_and_no_nonsense_is_held(notifier: RunningNotifier) -> None:
    await notifier.start(lanes=())
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
    async with plain_client(base_url=f"http://127.0.0.1:{notifier.port}") as stranger:
        answers = [await stranger.request(method, path, headers=key) for method, path in doors for key in keys]

    assert {answer.status_code for answer in answers} == {401}
    await preferences_that_are_none_are_refused(notifier)


async def preferences_that_are_none_are_refused(notifier: RunningNotifier) -> None:
    path = f"/v1/patients/{uuid4()}/preferences"
    bodies = (
        '{"sms": true}',
        '{"sms":1,"whatsapp":true,"email":true}',
        '{"sms":true,"whatsapp":true,"email":true,"x":1}',
        "{",
    )

    json = {"Content-Type": "application/json"}
    refused = [await notifier.ask("PUT", path, content=body, headers=json) for body in bodies]

    assert [answer.status_code for answer in refused] == [422] * len(bodies)
    codes = [answer.json()["code"] for answer in refused]
    assert codes == ["INVALID_REQUEST", "INVALID_REQUEST", "UNKNOWN_FIELD", "INVALID_REQUEST"]
    assert (await notifier.ask("GET", path)).status_code == 404


async def test_r25_the_api_says_what_became_of_each_message_and_each_call(notifier: RunningNotifier) -> None:
    patient = await notifier.patient(email=None)
    notifier.carriers.script(await notifier.address(patient, "mobile"), 503)
    notifier.carriers.retry_after_s = 600
    await notifier.start()
    visit = await notifier.book(patient)
    path = f"/v1/notifications?appointment={visit.appointment_id}"

    async def refused() -> bool:
        items = (await notifier.ask("GET", path)).json()["items"]
        return any(one["calls"] and one["calls"][0]["outcome"] for one in items)

    await until(refused)
    clock = (await notifier.look("/clock")).json()
    items = (await notifier.ask("GET", path)).json()["items"]
    [confirmation] = [one for one in items if one["kind"] == "confirmation"]
    [notice] = [one for one in items if one["kind"] == "provider-booked"]

    assert (confirmation["state"], confirmation["outcome"], confirmation["channel"]) == ("queued", None, "sms")
    assert [(call["outcome"], call["code"]) for call in confirmation["calls"]] == [("not-accepted", "HTTP_503_503")]
    assert (notice["outcome"], notice["reason"]) == ("skipped", "UNKNOWN_PROVIDER")
    assert datetime.fromisoformat(clock["next_wake_at"]) == datetime.fromisoformat(confirmation["next_attempt_at"])


async def test_a_new_installation_messages_only_its_allow_list(notifier: RunningNotifier) -> None:
    listed, other = await notifier.patient(), await notifier.patient()
    await notifier.start(sending_mode="allow-list", allow_list=await notifier.address(listed, "email"))
    first_visit, second_visit = await notifier.book(listed), await notifier.book(other)

    await notifier.settled(first_visit, "confirmation", "accepted")
    row = await notifier.settled(second_visit, "confirmation", "skipped")

    assert row["reason"] == Reason.HELD
    assert len(notifier.carriers.taken) == 1


async def test_in_hold_messages_wait_until_their_deadline_and_providers_are_told(notifier: RunningNotifier) -> None:
    provider = await notifier.provider()
    await notifier.start(sending_mode="hold")
    visit = await notifier.book(await notifier.patient(), provider)
    await notifier.settled(visit, "provider-booked", "accepted")
    row = await notifier.settled(visit, "confirmation", "queued")

    async def idle() -> bool:
        return bool((await notifier.look("/clock")).json()["idle"])

    await until(idle)
    clock = (await notifier.look("/clock")).json()
    notifier.step(timedelta(days=3))
    after = await notifier.settled(visit, "confirmation", "skipped")

    assert datetime.fromisoformat(clock["next_wake_at"]) == row["not_after"]
    assert after["reason"] == Reason.HELD
    assert notifier.carriers.asked == []
