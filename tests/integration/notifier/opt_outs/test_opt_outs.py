"""Opt-outs by a mail's link and at the front desk, on real parts (D36, RFC 8058)."""

from email import message_from_string, policy
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.notifier.callbacks import PUBLIC, bare, meta, secrets
from tests.support.notifier.running import World

pytestmark = pytest.mark.integration


async def desk(world: World, what: str, **body: Any) -> list[tuple[str, str]]:
    """Ask the front desk's API; return channel and category of what is stopped."""
    answer = await world.ask("POST", f"/v1/opt-outs/{what}", json=body)
    assert answer.status_code == 200, answer.text
    return [(one["channel"], one["category"]) for one in answer.json()["items"]]


async def test_a_mails_link_asks_when_opened_and_stops_its_kind_when_clicked(world: World) -> None:
    patient = await world.patient(mobile=None)
    await world.start(**secrets(unsubscribe_secret="of our own"))  # the test's
    visit = await world.book(patient)
    await world.due(visit)
    await world.settled(visit, "reminder", "accepted")
    address = await world.address(patient, "email")
    mails = [message_from_string(one.body, policy=policy.default) for one in world.carriers.to(address)]
    reminder = next(mail for mail in mails if "reminder" in mail["Subject"].lower())
    link = reminder["List-Unsubscribe"].strip("<>")
    assert reminder["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link.startswith(PUBLIC)
    path = urlsplit(link).path

    page = await world.http.get(f"http://127.0.0.1:{world.port}{path}", headers={"Accept-Language": "nl,en"})
    assert (page.status_code, "<button>Ja, stoppen</button>" in page.text) == (200, True)
    assert await desk(world, "look-up", address=address) == []
    forged = await bare(world, path[:-5] + "AAAAA", b"List-Unsubscribe=One-Click")
    assert forged.status_code == 401
    for _ in range(2):
        assert (await bare(world, path, b"List-Unsubscribe=One-Click")).status_code == 200
    assert await desk(world, "look-up", address=address.upper()) == [("email", "reminders")]

    later = await world.book(patient)
    await world.settled(later, "confirmation", "accepted")
    await world.due(later)
    skipped = await world.settled(later, "reminder", "skipped")
    assert skipped["reason"] == "OPTED_OUT"


async def test_the_front_desk_stops_and_lifts_and_both_stay_in_the_history(world: World) -> None:
    await world.start(lanes=(), **secrets())
    number = "+442071839999"

    assert await desk(world, "stop", address=number, channels=["sms"], by="A. Abara") == [
        ("sms", "notices"), ("sms", "reminders"),
    ]  # fmt: skip
    assert await desk(world, "lift", address=number, categories=["notices"]) == [("sms", "reminders")]
    refused = await world.ask("POST", "/v1/opt-outs/stop", json={"address": "Ada Abara"})
    assert (refused.status_code, refused.json()["code"]) == (422, "BAD_ADDRESS")
    keyless = await bare(world, "/v1/opt-outs/look-up", b'{"address": "+442071839999"}')
    assert keyless.status_code == 401
    rows = await world.pool.fetch("SELECT category, stopped, caused_by FROM opt_out_history ORDER BY at, category")
    assert [tuple(row) for row in rows] == [
        ("notices", True, "staff/A. Abara"),
        ("reminders", True, "staff/A. Abara"),
        ("notices", False, "staff/operator"),
    ]


async def test_a_start_that_was_sent_before_the_stop_and_comes_after_it_lifts_nothing(world: World) -> None:
    await world.start(lanes=(), **secrets())

    def message(text: str, at: int) -> dict[str, Any]:
        return {
            "id": f"wamid.{text}.{at}", "from": "442071839998", "type": "text", "timestamp": str(at),
            "text": {"body": text},
        }  # fmt: skip

    await meta(world, messages=[message("STOP", 1_803_900_060)])
    await meta(world, messages=[message("START", 1_803_900_000)])
    assert len(await desk(world, "look-up", address="+442071839998")) == 4
    (late,) = (await world.ask("GET", "/v1/replies", params={"open": True})).json()["items"]
    assert (late["verdict"], late["why"]) == ("staff", "STOPPED_LATER")

    await meta(world, messages=[message("START", 1_803_900_120)])
    assert await desk(world, "look-up", address="+442071839998") == []
