"""Callbacks that nobody could read, or whose doing failed, are read again and done once, by whoever asks for it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx2
import orjson
import pytest

from chassis.process.clock import SteppedClock
from notifier.callbacks.handle.intake import Came, Unread
from notifier.callbacks.store import LARGEST_KEPT, PostgresUnreadables
from notifier.receipts.domain import Carrier
from tests.support.notifier.callbacks import meta, secrets, sms, status
from tests.support.notifier.running import World

pytestmark = pytest.mark.integration

BREAKS = """
CREATE FUNCTION notifier.breaks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
CREATE TRIGGER breaks BEFORE INSERT ON notifier.{table} FOR EACH STATEMENT EXECUTE FUNCTION notifier.breaks()"""
MENDS = "DROP FUNCTION notifier.breaks() CASCADE"


async def listed(world: World) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await world.ask("GET", "/v1/unreadable-callbacks")).json()["items"]
    return items


async def replay(world: World, unreadable_id: object, by: str = "A. Abara") -> httpx2.Response:
    return await world.ask("POST", f"/v1/unreadable-callbacks/{unreadable_id}/replay", json={"by": by})


async def kept(world: World, carrier: Carrier, content: bytes, came: Came = Came()) -> int:  # noqa: B008  # frozen
    """Keep one as an earlier version may have done; return its number."""
    store = PostgresUnreadables(world.pool, SteppedClock(world.clock_file))
    assert await store.keep(carrier, [Unread("statuses.status", content, came)]) == 1
    return int((await listed(world))[0]["unreadable_id"])


async def test_g6_a_report_whose_doing_failed_is_done_once_when_it_is_replayed_and_says_who_wanted_it(
    world: World,
) -> None:
    await world.start(**secrets())
    patient = await world.patient(email=None)
    visit = await world.book(patient)
    attempt = (await world.settled(visit, "confirmation", "accepted"))["attempt_id"]
    await world.execute(BREAKS.format(table="receipt"))
    assert (await status(world, attempt, "delivered")).status_code == 204
    [item] = await listed(world)
    refused = await replay(world, item["unreadable_id"])
    await world.execute(MENDS)

    first, again = [await replay(world, item["unreadable_id"], by) for by in ("A. Abara", "B. Bello")]

    assert (item["reason"], item["replayed_by"]) == ("INTERNAL RaiseError", None)
    assert (refused.status_code, refused.json()["code"]) == (409, "STILL_UNREADABLE")
    assert (first.json()["replayed_by"], first.json()["repeat"]) == ("A. Abara", False)
    assert (again.json()["replayed_by"], again.json()["repeat"]) == ("A. Abara", True)
    row = await world.settled(visit, "confirmation", "accepted")
    assert (row["delivery_state"], row["version"]) == ("delivered", 2)
    assert await world.pool.fetchval("SELECT count(*) FROM receipt") == 1
    assert [(one["unreadable_id"], one["replayed_by"]) for one in await listed(world)] == [
        (item["unreadable_id"], "A. Abara")
    ]
    assert (await world.look("/status")).json()["unreadable_callbacks"] == 0


async def test_d36_a_stop_whose_doing_failed_holds_from_its_replay_on(world: World) -> None:
    await world.start(lanes=(), **secrets())
    number = await world.address(await world.patient(), "mobile")
    await world.execute(BREAKS.format(table="reply"))
    assert (await sms(world, number, "STOP")).status_code == 200
    await world.execute(MENDS)
    [item] = await listed(world)

    assert (await replay(world, item["unreadable_id"])).status_code == 200
    assert await world.pool.fetchval("SELECT count(*) FROM opt_out WHERE channel = 'sms'") > 0


async def by_sms(world: World, number: str) -> None:
    assert (await sms(world, number, "STOP", "SM-stop")).status_code == 200


async def by_whatsapp(world: World, number: str) -> None:
    """At the carrier's clock, which the test's does not follow."""
    at = str(int((world.now + timedelta(seconds=1)).timestamp()))
    said = {"id": "wamid.1", "from": number[1:], "type": "text", "timestamp": at, "text": {"body": "STOP"}}
    await meta(world, messages=[said])


async def at_the_desk(world: World, number: str) -> None:
    assert (await world.ask("POST", "/v1/opt-outs/stop", json={"address": number})).status_code == 200


@pytest.mark.parametrize("stop", [by_sms, by_whatsapp, at_the_desk])
@pytest.mark.parametrize("stopped_later", [True, False])
async def test_d36_a_replayed_start_lifts_no_stop_that_came_after_it_and_lifts_one_that_came_before(
    world: World, stop: Callable[[World, str], Awaitable[None]], stopped_later: bool
) -> None:
    await world.start(lanes=(), **secrets())
    number = await world.address(await world.patient(), "mobile")
    if not stopped_later:
        await stop(world, number)
        world.step(timedelta(minutes=5))
    await world.execute(BREAKS.format(table="reply"))
    assert (await sms(world, number, "START")).status_code == 200
    await world.execute(MENDS)
    if stopped_later:
        world.step(timedelta(minutes=5))
        await stop(world, number)
    [item] = await listed(world)

    assert (await replay(world, item["unreadable_id"])).status_code == 200
    left = await world.pool.fetchval("SELECT count(*) FROM opt_out WHERE channel = 'sms'")
    assert (left > 0) is stopped_later
    verdicts = await world.pool.fetch("SELECT verdict, why FROM reply WHERE meaning = 'start'")
    assert [tuple(row) for row in verdicts] == [("staff", "STOPPED_LATER") if stopped_later else ("opted-in", None)]


async def test_g9_what_was_kept_speaks_of_the_account_that_signed_it_alone(world: World) -> None:
    await world.start(**secrets())
    patient = await world.patient(email=None)
    visit = await world.book(patient)
    attempt = (await world.settled(visit, "confirmation", "accepted"))["attempt_id"]
    form = f"MessageSid=SM1&MessageStatus=read&AccountSid=AC{'0' * 32}".encode()
    number = await kept(world, Carrier.TWILIO, form, Came(f"status/{attempt}", f"AC{'2' * 32}"))

    assert (await replay(world, number)).status_code == 200
    assert (await world.settled(visit, "confirmation", "accepted"))["delivery_state"] == "unknown"


async def test_what_cannot_be_replayed_says_why_and_stays_as_it_was(world: World) -> None:
    await world.start(lanes=(), **secrets())
    older = await kept(world, Carrier.TWILIO, b"MessageSid=SM1&MessageStatus=sent")
    cut = await kept(world, Carrier.META, b"[" * (LARGEST_KEPT + 1), Came("body", "1"))
    odd = await kept(world, Carrier.META, orjson.dumps({"id": "wamid.1", "status": "dancing"}), Came("statuses", "1"))

    answers = [await replay(world, number) for number in (older, cut, odd, 10**15)]
    bad = [await world.ask("POST", f"/v1/unreadable-callbacks/{odd}/replay", json={"by": by}) for by in ("", "a\0b", 7)]
    async with httpx2.AsyncClient() as http:
        stranger = await http.post(f"http://127.0.0.1:{world.port}/v1/unreadable-callbacks/{odd}/replay", json={})

    assert [(one.status_code, one.json()["code"]) for one in answers] == [
        (409, "NOT_REPLAYABLE"), (409, "NOT_REPLAYABLE"), (409, "STILL_UNREADABLE"), (404, "UNKNOWN_CALLBACK"),
    ]  # fmt: skip
    assert answers[2].json()["errors"] == [{"place": "statuses.status", "code": "UNREADABLE"}]
    assert ({one.status_code for one in bad}, stranger.status_code) == ({422}, 401)
    assert {one["replayed_at"] for one in await listed(world)} == {None}
    assert len(await listed(world)) == 3
