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
from tests.support.notifier.running import RunningNotifier
from tests.support.plain_http import plain_client

pytestmark = pytest.mark.integration

BREAKS = """
CREATE FUNCTION notifier.breaks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
CREATE TRIGGER breaks BEFORE INSERT ON notifier.{table} FOR EACH STATEMENT EXECUTE FUNCTION notifier.breaks()"""
MENDS = "DROP FUNCTION notifier.breaks() CASCADE"


async def listed(notifier: RunningNotifier) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await notifier.ask("GET", "/v1/unreadable-callbacks")).json()["items"]
    return items


async def replay(notifier: RunningNotifier, unreadable_id: object, by: str = "A. Abara") -> httpx2.Response:
    return await notifier.ask("POST", f"/v1/unreadable-callbacks/{unreadable_id}/replay", json={"by": by})


async def kept(notifier: RunningNotifier, carrier: Carrier, content: bytes, came: Came = Came()) -> int:  # noqa: B008  # frozen
    """Keep one as an earlier version may have done; return its number."""
    store = PostgresUnreadables(notifier.pool, SteppedClock(notifier.clock_file))
    assert await store.keep(carrier, [Unread("statuses.status", content, came)]) == 1
    return int((await listed(notifier))[0]["unreadable_id"])


async def test_g6_a_report_whose_doing_failed_is_done_once_when_it_is_replayed_and_says_who_wanted_it(
    notifier: RunningNotifier,
) -> None:
    await notifier.start(**secrets())
    patient = await notifier.patient(email=None)
    visit = await notifier.book(patient)
    attempt = (await notifier.settled(visit, "confirmation", "accepted"))["attempt_id"]
    await notifier.execute(BREAKS.format(table="receipt"))
    assert (await status(notifier, attempt, "delivered")).status_code == 204
    [item] = await listed(notifier)
    refused = await replay(notifier, item["unreadable_id"])
    await notifier.execute(MENDS)

    first, again = [await replay(notifier, item["unreadable_id"], by) for by in ("A. Abara", "B. Bello")]

    assert (item["reason"], item["replayed_by"]) == ("INTERNAL RaiseError", None)
    assert (refused.status_code, refused.json()["code"]) == (409, "STILL_UNREADABLE")
    assert (first.json()["replayed_by"], first.json()["repeat"]) == ("A. Abara", False)
    assert (again.json()["replayed_by"], again.json()["repeat"]) == ("A. Abara", True)
    row = await notifier.settled(visit, "confirmation", "accepted")
    assert (row["delivery_state"], row["version"]) == ("delivered", 2)
    assert await notifier.pool.fetchval("SELECT count(*) FROM receipt") == 1
    assert [(one["unreadable_id"], one["replayed_by"]) for one in await listed(notifier)] == [
        (item["unreadable_id"], "A. Abara")
    ]
    assert (await notifier.look("/status")).json()["unreadable_callbacks"] == 0


async def test_d36_a_stop_whose_doing_failed_holds_from_its_replay_on(notifier: RunningNotifier) -> None:
    await notifier.start(lanes=(), **secrets())
    number = await notifier.address(await notifier.patient(), "mobile")
    await notifier.execute(BREAKS.format(table="reply"))
    assert (await sms(notifier, number, "STOP")).status_code == 200
    await notifier.execute(MENDS)
    [item] = await listed(notifier)

    assert (await replay(notifier, item["unreadable_id"])).status_code == 200
    assert await notifier.pool.fetchval("SELECT count(*) FROM opt_out WHERE channel = 'sms'") > 0


async def by_sms(notifier: RunningNotifier, number: str) -> None:
    assert (await sms(notifier, number, "STOP", "SM-stop")).status_code == 200


async def by_whatsapp(notifier: RunningNotifier, number: str) -> None:
    """At the carrier's clock, which the test's does not follow."""
    at = str(int((notifier.now + timedelta(seconds=1)).timestamp()))
    said = {"id": "wamid.1", "from": number[1:], "type": "text", "timestamp": at, "text": {"body": "STOP"}}
    await meta(notifier, messages=[said])


async def at_the_desk(notifier: RunningNotifier, number: str) -> None:
    assert (await notifier.ask("POST", "/v1/opt-outs/stop", json={"address": number})).status_code == 200


@pytest.mark.parametrize("stop", [by_sms, by_whatsapp, at_the_desk])
@pytest.mark.parametrize("stopped_later", [True, False])
async def test_d36_a_replayed_start_lifts_no_stop_that_came_after_it_and_lifts_one_that_came_before(
    notifier: RunningNotifier, stop: Callable[[RunningNotifier, str], Awaitable[None]], stopped_later: bool
) -> None:
    await notifier.start(lanes=(), **secrets())
    number = await notifier.address(await notifier.patient(), "mobile")
    if not stopped_later:
        await stop(notifier, number)
        notifier.step(timedelta(minutes=5))
    await notifier.execute(BREAKS.format(table="reply"))
    assert (await sms(notifier, number, "START")).status_code == 200
    await notifier.execute(MENDS)
    if stopped_later:
        notifier.step(timedelta(minutes=5))
        await stop(notifier, number)
    [item] = await listed(notifier)

    assert (await replay(notifier, item["unreadable_id"])).status_code == 200
    left = await notifier.pool.fetchval("SELECT count(*) FROM opt_out WHERE channel = 'sms'")
    assert (left > 0) is stopped_later
    verdicts = await notifier.pool.fetch("SELECT verdict, why FROM reply WHERE meaning = 'start'")
    assert [tuple(row) for row in verdicts] == [("staff", "STOPPED_LATER") if stopped_later else ("opted-in", None)]


async def test_g9_what_was_kept_speaks_of_the_account_that_signed_it_alone(notifier: RunningNotifier) -> None:
    await notifier.start(**secrets())
    patient = await notifier.patient(email=None)
    visit = await notifier.book(patient)
    attempt = (await notifier.settled(visit, "confirmation", "accepted"))["attempt_id"]
    form = f"MessageSid=SM1&MessageStatus=read&AccountSid=AC{'0' * 32}".encode()
    number = await kept(notifier, Carrier.TWILIO, form, Came(f"status/{attempt}", f"AC{'2' * 32}"))

    assert (await replay(notifier, number)).status_code == 200
    assert (await notifier.settled(visit, "confirmation", "accepted"))["delivery_state"] == "unknown"


async def test_what_cannot_be_replayed_says_why_and_stays_as_it_was(notifier: RunningNotifier) -> None:
    await notifier.start(lanes=(), **secrets())
    older = await kept(notifier, Carrier.TWILIO, b"MessageSid=SM1&MessageStatus=sent")
    cut = await kept(notifier, Carrier.META, b"[" * (LARGEST_KEPT + 1), Came("body", "1"))
    odd = await kept(
        notifier, Carrier.META, orjson.dumps({"id": "wamid.1", "status": "dancing"}), Came("statuses", "1")
    )

    answers = [await replay(notifier, number) for number in (older, cut, odd, 10**15)]
    bad = [
        await notifier.ask("POST", f"/v1/unreadable-callbacks/{odd}/replay", json={"by": by}) for by in ("", "a\0b", 7)
    ]
    async with plain_client() as http:
        stranger = await http.post(f"http://127.0.0.1:{notifier.port}/v1/unreadable-callbacks/{odd}/replay", json={})

    assert [(one.status_code, one.json()["code"]) for one in answers] == [
        (409, "NOT_REPLAYABLE"), (409, "NOT_REPLAYABLE"), (409, "STILL_UNREADABLE"), (404, "UNKNOWN_CALLBACK"),
    ]  # fmt: skip
    assert answers[2].json()["errors"] == [{"place": "statuses.status", "code": "UNREADABLE"}]
    assert ({one.status_code for one in bad}, stranger.status_code) == ({422}, 401)
    assert {one["replayed_at"] for one in await listed(notifier)} == {None}
    assert len(await listed(notifier)) == 3
