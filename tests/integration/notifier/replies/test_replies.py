"""Patients' answers on real parts: from the carrier's call to the visit in booking (B11), and opt-outs (D36)."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from booking.settings import Settings
from booking.wiring import build
from schemas import topics
from schemas.appointments import Appointment
from stack.ports import free_port
from tests.support.installation import Installation
from tests.support.notifier.callbacks import meta, secrets, sms
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="session")
def used_topics() -> Sequence[topics.Topic]:
    """Return all topics: booking runs beside the notifier here."""
    return topics.ALL


@asynccontextmanager
async def booking_on(notifier: RunningNotifier, installation: Installation) -> AsyncIterator[None]:
    """Run booking while the block runs."""
    settings = Settings.model_validate(
        {
            "database_url": SecretStr(installation.service_url("booking")),
            "kafka_bootstrap_servers": installation.bootstrap,
            "topic_prefix": installation.topic_prefix,
            "clock_file": notifier.clock_file,
            "http_port": free_port(),
            "operations_port": free_port(),
        }
    )
    stop = asyncio.Event()
    async with build(settings) as service:
        running = asyncio.create_task(service.run(stop))
        try:
            yield
        finally:
            stop.set()
            await running


async def reminded(notifier: RunningNotifier) -> tuple[Appointment, str]:
    """Hand over a reminder by SMS of a new patient, and wait until it is accepted; return his number too."""
    patient = await notifier.patient()
    visit = await notifier.book(patient)
    await notifier.due(visit)
    await notifier.settled(visit, "reminder", "accepted")
    return visit, await notifier.address(patient, "mobile")


async def replies(notifier: RunningNotifier, **asked: Any) -> list[dict[str, Any]]:
    """Return what the API lists, newest first."""
    answer = await notifier.ask("GET", "/v1/replies", params=asked)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_b11_a_patient_confirms_and_another_cancels_by_replying_and_booking_has_it_once(
    notifier: RunningNotifier, installation: Installation
) -> None:
    booking = await installation.pool("booking")

    async def held(visit: Appointment) -> tuple[int, str, bool, str | None]:
        row = await booking.fetchrow("SELECT * FROM appointment WHERE appointment_id = $1", visit.appointment_id)
        assert row is not None
        return row["version"], row["status"], row["confirmed"], row["reason"]

    await notifier.start(**secrets())
    assert (await notifier.ask("PUT", "/v1/clinics/NORTH/sending", json={"replies": True})).is_success
    confirming, one = await reminded(notifier)
    cancelling, other = await reminded(notifier)
    [message] = notifier.carriers.to(other)
    found = re.search(r"X (\d{4}) to cancel", message.body)
    assert found is not None
    async with booking_on(notifier, installation):
        for _ in range(2):
            assert (await sms(notifier, one, "Yes!", sid="SM-c")).status_code == 200
        answer = await sms(notifier, other, f"x{found[1]}", sid="SM-x")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")

        async def done() -> bool:
            return (await held(confirming))[0] == 2 and (await held(cancelling))[0] == 2

        await until(done)
    assert await held(confirming) == (2, "booked", True, None)
    assert await held(cancelling) == (2, "cancelled", False, "cancelled by the patient's reply")
    causes = await booking.fetch("SELECT caused_by FROM appointment ORDER BY appointment_id")
    assert {row["caused_by"].partition("/")[0] for row in causes} == {"patient-reply"}
    listed = sorted((one["meaning"], one["verdict"], one["why"]) for one in await replies(notifier))
    assert listed == [("cancel", "ordered", None), ("confirm", "ordered", None)]
    assert await replies(notifier, open=True) == []


async def test_what_is_not_certain_is_for_staff_and_orders_nothing(notifier: RunningNotifier) -> None:
    await notifier.start(**secrets())
    visit, mobile = await reminded(notifier)
    second = await notifier.book(visit.patient_id)
    await notifier.due(second)
    await notifier.settled(second, "reminder", "accepted")

    for number, text in enumerate(("C", "X", "X 00000", "Can I come at 5?\x00", "c" * 5_000)):
        assert (await sms(notifier, mobile, text, sid=f"SM-{number}")).status_code == 200
    assert (await sms(notifier, "+4420718399999", "C", sid="SM-stranger")).status_code == 200

    listed = {one["text"]: one for one in await replies(notifier, open=True)}
    assert {text[:8]: one["why"] for text, one in listed.items() if one["sender"] == mobile} == {
        "C": "SEVERAL_VISITS",
        "X": "NO_CODE",
        "X 00000": "NOT_UNDERSTOOD",
        "Can I co": "NOT_UNDERSTOOD",
        "cccccccc": "NOT_UNDERSTOOD",
    }
    assert len(await replies(notifier, open=True)) == 6
    assert await notifier.pool.fetchval("SELECT count(*) FROM outbox WHERE topic = 'patient-replies'") == 0
    first = (await replies(notifier, open=True, limit=1))[0]
    done = await notifier.ask("PUT", f"/v1/replies/{first['reply_id']}/done", json={"by": "front desk"})
    assert done.json()["done_by"] == "front desk"
    assert len(await replies(notifier, open=True)) == 5
    assert len({one["reply_id"] for one in await pages(notifier)}) == 6


async def pages(notifier: RunningNotifier) -> list[dict[str, Any]]:
    """Return all answers, two a page."""
    found: list[dict[str, Any]] = []
    after = None
    while True:
        asked = {"limit": "2", **({"after": after} if after else {})}
        page = (await notifier.ask("GET", "/v1/replies", params=asked)).json()
        found += page["items"]
        after = page["next"]
        if after is None:
            return found


async def test_d36_stop_holds_from_the_answer_on_for_the_number_and_start_lifts_it(notifier: RunningNotifier) -> None:
    await notifier.start(**secrets())
    visit, mobile = await reminded(notifier)

    assert (await sms(notifier, mobile, "STOPP", sid="SM-1")).status_code == 200
    later = await notifier.book(visit.patient_id)
    await notifier.due(later)
    by_mail = await notifier.settled(later, "reminder", "accepted")
    assert by_mail["lane"] == "email"
    categories = await notifier.pool.fetch("SELECT channel, category FROM opt_out ORDER BY channel, category")
    assert [tuple(row) for row in categories] == [
        ("sms", "notices"), ("sms", "reminders"), ("whatsapp", "notices"), ("whatsapp", "reminders"),
    ]  # fmt: skip

    assert (await sms(notifier, mobile, "start", sid="SM-2")).status_code == 200
    again = await notifier.book(visit.patient_id)
    await notifier.due(again)
    assert (await notifier.settled(again, "reminder", "accepted"))["lane"] == "sms"


async def test_an_answer_after_a_move_that_he_was_not_told_of_is_for_staff(notifier: RunningNotifier) -> None:
    await notifier.start(**secrets())
    visit, mobile = await reminded(notifier)
    moved = {"starts_at": visit.starts_at + timedelta(days=1), "schedule_gen": 2}  # type: ignore[operator]  # it has one
    await notifier.hold(visit.model_copy(update={"version": 2, **moved}))

    await sms(notifier, mobile, f"X {notifier.peppers.codes(visit.appointment_id, 1)[0]}")

    (one,) = await replies(notifier, open=True)
    assert (one["meaning"], one["verdict"], one["why"]) == ("cancel", "staff", "NO_VISIT")


async def test_answers_on_whatsapp_are_heard_each_once(notifier: RunningNotifier) -> None:
    await notifier.start(**secrets())
    message = {"id": "wamid.in", "from": "442071830001", "type": "text", "text": {"body": "STOP"}}

    for _ in range(2):
        assert (await meta(notifier, messages=[message, {**message, "id": "wamid.in2"}])).status_code == 200

    assert len(await replies(notifier)) == 2
    assert {UUID(one["reply_id"]).version for one in await replies(notifier)} == {5}


async def test_a_webhook_of_metas_in_which_one_message_has_no_sender_does_not_lose_the_stop_beside_it(
    notifier: RunningNotifier,
) -> None:
    await notifier.start(lanes=(), **secrets())
    nameless = {"id": "wamid.in1", "type": "text", "text": {"body": "hello"}}
    stop = {"id": "wamid.in2", "from": "442071830001", "type": "text", "text": {"body": "STOP"}}

    assert (await meta(notifier, messages=[nameless, stop])).status_code == 200

    assert [one["verdict"] for one in await replies(notifier)] == ["opted-out"]
    assert await notifier.pool.fetchval("SELECT count(*) FROM opt_out") == 4
    assert await notifier.pool.fetchval("SELECT reason FROM unreadable_callback") == "messages.from"


async def listed_for(notifier: RunningNotifier, clinic: str) -> list[tuple[str, str, str | None]]:
    """Return the open answers on a clinic's work list: text, why, clinic."""
    body = (await notifier.ask("GET", "/v1/work-list", params={"clinic": clinic})).json()
    return [(one["text"], one["why"], one["clinic_id"]) for one in body["replies"]]


async def test_every_answer_for_staff_is_on_the_list_of_the_clinic_that_caused_it(notifier: RunningNotifier) -> None:
    await notifier.start(**secrets())
    await notifier.clinic("SOUTH")
    visit, mobile = await reminded(notifier)

    await sms(notifier, mobile, "CANCEL", sid="SM-1")
    await sms(notifier, mobile, "What?", sid="SM-2")
    assert await listed_for(notifier, "NORTH") == [
        ("CANCEL", "MAY_MEAN_VISIT", "NORTH"),
        ("What?", "NOT_UNDERSTOOD", "NORTH"),
    ]
    assert await listed_for(notifier, "SOUTH") == []

    await sms(notifier, mobile, "START", sid="SM-3")
    second = await notifier.book(visit.patient_id, clinic="SOUTH")
    await notifier.due(second)
    await notifier.settled(second, "reminder", "accepted")
    await sms(notifier, mobile, "C", sid="SM-4")
    await sms(notifier, "+442071839990", "Who is this?", sid="SM-5")

    both = [("C", "SEVERAL_VISITS", None), ("Who is this?", "ASKED_HELP", None)]
    assert await listed_for(notifier, "SOUTH") == both
    assert (await listed_for(notifier, "NORTH"))[2:] == both


async def test_an_answer_that_may_be_about_several_visits_of_one_clinic_is_on_its_list_alone(
    notifier: RunningNotifier,
) -> None:
    await notifier.start(**secrets())
    await notifier.clinic("SOUTH")
    visit, mobile = await reminded(notifier)
    second = await notifier.book(visit.patient_id)
    await notifier.due(second)
    await notifier.settled(second, "reminder", "accepted")

    await sms(notifier, mobile, "C", sid="SM-1")

    assert await listed_for(notifier, "NORTH") == [("C", "SEVERAL_VISITS", "NORTH")]
    assert await listed_for(notifier, "SOUTH") == []


async def test_a_number_may_send_five_wrong_codes_an_hour_and_then_no_right_one_either(
    notifier: RunningNotifier,
) -> None:
    await notifier.start(**secrets())
    await notifier.ask("PUT", "/v1/clinics/NORTH/sending", json={"replies": True})
    visit, mobile = await reminded(notifier)
    other_visit, other = await reminded(notifier)
    right = notifier.peppers.codes(visit.appointment_id, 1)[0]
    wrong = [f"{(int(right) + number) % 10_000:04d}" for number in range(1, 7)]

    await asyncio.gather(*(sms(notifier, mobile, f"X {code}", sid=f"SM-{code}") for code in wrong))
    await sms(notifier, mobile, f"X {right}", sid="SM-late")
    await sms(notifier, other, f"C {notifier.peppers.codes(other_visit.appointment_id, 1)[0]}", sid="SM-other")

    said = sorted(one["why"] for one in await replies(notifier, open=True))
    assert said == ["TOO_MANY_CODES"] * 2 + ["WRONG_CODE"] * 5
    assert [one["verdict"] for one in await replies(notifier)].count("ordered") == 1

    notifier.step(timedelta(minutes=61))
    await sms(notifier, mobile, f"X {right}", sid="SM-later")
    assert [one["verdict"] for one in await replies(notifier)].count("ordered") == 2


async def test_nothing_of_an_answer_is_in_the_metrics(notifier: RunningNotifier) -> None:
    await notifier.start(**secrets())
    await sms(notifier, "+442071830007", "CANARY-TEXT")

    metrics = (await notifier.look("/metrics")).text

    assert "CANARY" not in metrics
    assert "442071830007" not in metrics
