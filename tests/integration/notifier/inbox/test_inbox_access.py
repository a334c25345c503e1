"""An inbox is its provider's: tokens, and marks of what was read (G9, R20)."""

import asyncio
from uuid import UUID, uuid4

import pytest

from tests.support.notifier.running import RunningNotifier
from tests.support.plain_http import plain_client

pytestmark = pytest.mark.integration


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def issue(notifier: RunningNotifier, provider: UUID) -> dict[str, str]:
    answer = await notifier.ask("POST", f"/v1/inbox/{provider}/tokens", json={"label": "room 4"})
    assert answer.status_code == 201
    return dict(answer.json())


def doors(provider: UUID) -> tuple[tuple[str, str], ...]:
    """Return what a provider's own program may ask for."""
    root = f"/v1/inbox/{provider}"
    return (
        ("GET", root),
        ("GET", f"{root}/unread"),
        ("PUT", f"{root}/read"),
        ("PUT", f"{root}/1/read"),
        ("DELETE", f"{root}/1/read"),
    )


async def test_g9_a_token_opens_one_inbox_and_no_other_door(notifier: RunningNotifier) -> None:
    mine, other = await notifier.provider(), await notifier.provider()
    await notifier.start(lanes=())
    for provider in (mine, other):
        visit = await notifier.book(await notifier.patient(), provider)
        await notifier.settled(visit, "provider-booked", "accepted")
    issued = await issue(notifier, mine)
    forged = issued["token"][:-1] + ("A" if issued["token"][-1] != "A" else "B")
    keys = {"mine": bearer(issued["token"]), "forged": bearer(forged), "half": bearer("inbox_"), "none": {}}
    found: dict[str, set[int]] = {}
    async with plain_client(base_url=f"http://127.0.0.1:{notifier.port}") as stranger:
        for name, key in keys.items():
            for whose, provider in (("own", mine), ("other", other)):
                answers = [await stranger.request(method, path, headers=key) for method, path in doors(provider)]
                found[f"{name} {whose}"] = {answer.status_code for answer in answers}
        staff = (
            ("POST", f"/v1/inbox/{mine}/tokens"),
            ("GET", f"/v1/inbox/{mine}/tokens"),
            ("DELETE", f"/v1/inbox/{mine}/tokens/{issued['token_id']}"),
            ("GET", f"/v1/notifications?appointment={uuid4()}"),
        )
        answers = [await stranger.request(method, path, headers=keys["mine"]) for method, path in staff]
        found["mine staff"] = {answer.status_code for answer in answers}
        alien = await stranger.get(f"/v1/inbox/{other}/stream", headers=keys["mine"])

    assert found == {
        "mine own": {200}, "mine other": {403}, "forged own": {401}, "forged other": {401}, "half own": {401},
        "half other": {401}, "none own": {401}, "none other": {401}, "mine staff": {401},
    }  # fmt: skip
    assert (alien.status_code, alien.json()["code"]) == (403, "NOT_YOURS")


async def test_g9_a_token_is_shown_once_kept_as_its_hash_and_revoked_for_good(notifier: RunningNotifier) -> None:
    provider = await notifier.provider()
    await notifier.start(lanes=())
    issued = await issue(notifier, provider)
    path, own = f"/v1/inbox/{provider}", bearer(issued["token"])
    listening = asyncio.create_task(notifier.http.get(f"http://127.0.0.1:{notifier.port}{path}/stream", headers=own))
    listed = (await notifier.ask("GET", f"{path}/tokens")).json()["items"]
    kept = await notifier.pool.fetchval("SELECT length(token_sha256) FROM inbox_token")
    revoked = (await notifier.ask("DELETE", f"{path}/tokens/{issued['token_id']}")).json()
    again = (await notifier.ask("DELETE", f"{path}/tokens/{issued['token_id']}")).json()
    stranger = await notifier.ask("DELETE", f"/v1/inbox/{uuid4()}/tokens/{issued['token_id']}")
    refused = await notifier.ask("GET", path, headers=own)
    ended = await listening

    assert (len(issued["token"]) >= 43 + len("inbox_"), kept) == (True, 32)
    assert [(one["label"], "token" in one) for one in listed] == [("room 4", False)]
    assert revoked == again
    assert revoked["revoked_at"] is not None
    assert (stranger.status_code, refused.status_code) == (404, 401)
    assert ended.status_code == 200  # an open stream ends by itself


async def test_unread_counts_all_read_and_unread_again(notifier: RunningNotifier) -> None:
    provider = await notifier.provider()
    await notifier.start(lanes=())
    for _ in range(4):
        visit = await notifier.book(await notifier.patient(), provider)
        await notifier.settled(visit, "provider-booked", "accepted")
    path = f"/v1/inbox/{provider}"

    some = (await notifier.ask("PUT", f"{path}/read", params={"up_to": 2})).json()
    every = (await notifier.ask("PUT", f"{path}/read")).json()
    again = (await notifier.ask("PUT", f"{path}/read")).json()
    back = (await notifier.ask("DELETE", f"{path}/3/read")).json()
    left = (await notifier.ask("GET", f"{path}/unread")).json()
    page = (await notifier.ask("GET", path, params={"unread": True})).json()["items"]
    missing = [await notifier.ask(method, f"{path}/{n}/read") for method in ("PUT", "DELETE") for n in (9, 0, 10**30)]

    assert (some, every, again) == (
        {"marked": 2, "unread": 2}, {"marked": 2, "unread": 0}, {"marked": 0, "unread": 0},
    )  # fmt: skip
    assert (back, left, [one["number"] for one in page]) == ({"number": 3, "read_at": None}, {"unread": 1}, [3])
    assert {(one.status_code, one.json()["code"]) for one in missing} == {(404, "NO_SUCH_NOTICE")}
