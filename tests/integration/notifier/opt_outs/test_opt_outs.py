"""Opt-outs by a mail's link and at the front desk, on real parts (D36, RFC 8058)."""

from email import message_from_string, policy
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.notifier.callbacks import PUBLIC, bare, meta, secrets
from tests.support.notifier.running import RunningNotifier

pytestmark = pytest.mark.integration

OUR_OWN = "of our own"


async def desk(notifier: RunningNotifier, what: str, **body: Any) -> list[tuple[str, str]]:
    """Ask the front desk's API; return channel and category of what is stopped."""
    answer = await notifier.ask("POST", f"/v1/opt-outs/{what}", json=body)
    assert answer.status_code == 200, answer.text
    return [(one["channel"], one["category"]) for one in answer.json()["items"]]


async def test_a_mails_link_asks_when_opened_and_stops_its_kind_when_clicked(notifier: RunningNotifier) -> None:
    patient = await notifier.patient(mobile=None, language=None)
    await notifier.start(**secrets(unsubscribe_secret=OUR_OWN))
    visit = await notifier.book(patient)
    await notifier.due(visit)
    await notifier.settled(visit, "reminder", "accepted")
    address = await notifier.address(patient, "email")
    mails = [message_from_string(one.body, policy=policy.default) for one in notifier.carriers.to(address)]
    reminder = next(mail for mail in mails if "reminder" in mail["Subject"].lower())
    link = reminder["List-Unsubscribe"].strip("<>")
    assert reminder["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link.startswith(PUBLIC)
    path = urlsplit(link).path

    page = await notifier.http.get(f"http://127.0.0.1:{notifier.port}{path}", headers={"Accept-Language": "nl,en"})
    assert (page.status_code, "<button>Ja, stoppen</button>" in page.text) == (200, True)
    assert await desk(notifier, "look-up", address=address) == []
    assert "<strong>Clinic NORTH</strong></p><p>Herinneringen aan uw afspraken.</p>" in page.text
    forged = await bare(notifier, path[:-5] + "AAAAA", b"List-Unsubscribe=One-Click")
    assert (forged.status_code, forged.json()["code"]) == (401, "BAD_SIGNATURE")
    for _ in range(2):
        assert (await bare(notifier, path, b"List-Unsubscribe=One-Click")).status_code == 200
    assert await desk(notifier, "look-up", address=address.upper()) == [("email", "reminders")]

    later = await notifier.book(patient)
    await notifier.settled(later, "confirmation", "accepted")
    await notifier.due(later)
    skipped = await notifier.settled(later, "reminder", "skipped")
    assert skipped["reason"] == "OPTED_OUT"


async def test_the_page_says_in_the_patients_language_whose_mails_of_which_kind_it_stops(
    notifier: RunningNotifier,
) -> None:
    """Two clinics that may be named, and one that may not (D35)."""
    await notifier.clinic("EMERGENCY", name="A&E <24 h>")
    await notifier.clinic("SEXUAL", sensitive=True)
    patient = await notifier.patient(mobile=None, language="de-AT")
    await notifier.start(**secrets(unsubscribe_secret=OUR_OWN))
    for clinic in ("EMERGENCY", "SEXUAL", "NORTH"):
        await notifier.settled(await notifier.book(patient, clinic=clinic), "confirmation", "accepted")
    address = await notifier.address(patient, "email")
    (link, *others) = {
        message_from_string(one.body, policy=policy.default)["List-Unsubscribe"].strip("<>")
        for one in notifier.carriers.to(address)
    }
    page = f"http://127.0.0.1:{notifier.port}{urlsplit(link).path}"
    asked = await notifier.http.get(page, headers={"Accept-Language": "fr", "Accept": "text/html"})
    stopped = await notifier.http.post(page, headers={"Accept-Language": "fr", "Accept": "text/html"})

    clinics = "<strong>A&amp;E &lt;24 h&gt;<br>Clinic NORTH</strong>"
    what = f"{clinics}</p><p>Bestätigungen, Änderungen und Absagen Ihrer Termine."
    assert others == []
    for told in (asked, stopped):
        assert (told.status_code, '<html lang="de"' in told.text, what in told.text) == (200, True, True), told.text
    assert ("Ja, abbestellen" in asked.text, "Erledigt." in stopped.text) == (True, True)
    assert await desk(notifier, "look-up", address=address) == [("email", "notices")]


async def test_the_front_desk_stops_and_lifts_and_both_stay_in_the_history(notifier: RunningNotifier) -> None:
    await notifier.start(lanes=(), **secrets())
    number = "+442071839999"

    assert await desk(notifier, "stop", address=number, channels=["sms"], by="A. Abara") == [
        ("sms", "notices"), ("sms", "reminders"),
    ]  # fmt: skip
    assert await desk(notifier, "lift", address=number, categories=["notices"]) == [("sms", "reminders")]
    refused = await notifier.ask("POST", "/v1/opt-outs/stop", json={"address": "Ada Abara"})
    assert (refused.status_code, refused.json()["code"]) == (422, "BAD_ADDRESS")
    keyless = await bare(notifier, "/v1/opt-outs/look-up", b'{"address": "+442071839999"}')
    assert keyless.status_code == 401
    rows = await notifier.pool.fetch("SELECT category, stopped, caused_by FROM opt_out_history ORDER BY at, category")
    assert [tuple(row) for row in rows] == [
        ("notices", True, "staff/A. Abara"),
        ("reminders", True, "staff/A. Abara"),
        ("notices", False, "staff/operator"),
    ]


async def test_a_start_that_was_sent_before_the_stop_and_comes_after_it_lifts_nothing(
    notifier: RunningNotifier,
) -> None:
    await notifier.start(lanes=(), **secrets())

    def message(text: str, at: int) -> dict[str, Any]:
        return {
            "id": f"wamid.{text}.{at}", "from": "442071839998", "type": "text", "timestamp": str(at),
            "text": {"body": text},
        }  # fmt: skip

    await meta(notifier, messages=[message("STOP", 1_803_900_060)])
    await meta(notifier, messages=[message("START", 1_803_900_000)])
    assert len(await desk(notifier, "look-up", address="+442071839998")) == 4
    (late,) = (await notifier.ask("GET", "/v1/replies", params={"open": True})).json()["items"]
    assert (late["verdict"], late["why"]) == ("staff", "STOPPED_LATER")

    await meta(notifier, messages=[message("START", 1_803_900_120)])
    assert await desk(notifier, "look-up", address="+442071839998") == []
