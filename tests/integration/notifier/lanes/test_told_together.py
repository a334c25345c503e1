"""What comes back of a message about several visits is so for each: reports, look-ups, people, timeline, answers."""

from uuid import UUID

import pytest

from notifier.carriers.twilio.store import unknown_attempts
from schemas.notifications import Channel
from tests.integration.notifier.lanes.test_together import calls_of, in_state, lanes, taken, waiting
from tests.support.notifier.bookings_tables import MONDAY
from tests.support.notifier.callbacks import meta, secrets, sms, status
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("said", ["delivered", "read"])
async def test_g6_a_report_is_of_every_visit_that_the_message_told_of(notifier: RunningNotifier, said: str) -> None:
    patient = await notifier.patient(email=None)
    await notifier.start(lanes=(), **secrets())
    visits = await waiting(notifier, patient)
    await notifier.start(fanout=False, lanes=(Channel.SMS,), **secrets())
    await in_state(notifier, visits, "confirmation", "accepted")
    [told] = await taken(notifier, patient, "mobile")

    assert (await status(notifier, told.reference, said)).status_code == 204

    rows = [await notifier.row(visit, "confirmation") for visit in visits]
    assert [(row["state"], row["delivery_state"]) for row in rows if row] == [("accepted", said)] * 4
    assert [one["delivery_state"] for one in await calls_of(notifier, visits)] == [said] * 4


async def test_d17_what_did_not_arrive_goes_to_the_next_channel_as_one(notifier: RunningNotifier) -> None:
    patient = await notifier.patient(email=None)
    await notifier.start(lanes=(), **secrets())
    said = {"whatsapp": True, "sms": True, "email": True}
    assert (await notifier.ask("PUT", f"/v1/patients/{patient}/preferences", json=said)).is_success
    visits = await waiting(notifier, patient)
    await notifier.start(fanout=False, lanes=(Channel.SMS, Channel.WHATSAPP), **secrets())
    await in_state(notifier, visits, "confirmation", "accepted")
    [first] = await taken(notifier, patient, "mobile")
    assert first.channel == "whatsapp"

    failed = {"id": "wamid.1", "status": "failed", "timestamp": "1803898800", "errors": [{"code": 131026}]}
    failed |= {"recipient_id": "44", "biz_opaque_callback_data": first.reference}
    assert (await meta(notifier, metadata={"phone_number_id": "0"}, statuses=[failed])).is_success

    async def by_sms() -> bool:
        rows = [await notifier.row(visit, "confirmation") for visit in visits]
        return {(row["lane"], row["state"]) for row in rows if row} == {("sms", "accepted")}

    await until(by_sms)
    assert [one.channel for one in await taken(notifier, patient, "mobile")] == ["whatsapp", "sms"]


@pytest.mark.parametrize(("arrived", "state"), [(True, "accepted"), (False, "failed")])
async def test_b12_what_a_person_finds_out_of_one_is_so_for_all_of_its_call(
    notifier: RunningNotifier, arrived: bool, state: str
) -> None:
    patient = await notifier.patient(email=None)
    notifier.carriers.script(await notifier.address(patient, "mobile"), "garbage")
    await notifier.start(lanes=())
    visits = await waiting(notifier, patient)
    await lanes(notifier)
    await in_state(notifier, visits, "confirmation", "unknown")
    row = await notifier.row(visits[2], "confirmation")
    assert row is not None

    path = f"/v1/work-list/{row['notification_id']}/settle"
    assert (await notifier.ask("POST", path, json={"by": "desk", "arrived": arrived})).is_success

    await in_state(notifier, visits, "confirmation", state)
    assert len(await taken(notifier, patient, "mobile")) == 1


@pytest.mark.parametrize(("act", "arrived", "state"), [("resend", False, "unknown"), ("drop", True, "failed")])
async def test_g5_what_a_person_sent_again_or_dropped_is_not_touched_by_what_is_found_out_of_its_call(
    notifier: RunningNotifier, act: str, arrived: bool, state: str
) -> None:
    """It is off the list. Queued for its next channel, it would be a second message beside the one sent again."""
    patient = await notifier.patient()
    notifier.carriers.script(await notifier.address(patient, "email"), "garbage")
    await notifier.start(lanes=())
    visits = await waiting(notifier, patient, 3)
    await lanes(notifier, Channel.EMAIL)
    await in_state(notifier, visits, "confirmation", "unknown")
    done, found, beside = [str(one["notification_id"]) for one in await calls_of(notifier, visits)]
    assert (await notifier.ask("POST", f"/v1/work-list/{done}/{act}", json={"by": "desk"})).is_success

    said = {"by": "desk", "arrived": arrived}
    assert (await notifier.ask("POST", f"/v1/work-list/{found}/settle", json=said)).is_success

    rows = await notifier.pool.fetch(
        "SELECT one.notification_id, one.state, made.outcome FROM notification AS one JOIN attempt AS made USING"
        " (attempt_id) WHERE one.notification_id = ANY($1::uuid[])",
        [UUID(one) for one in (done, found, beside)],
    )
    now = {str(row["notification_id"]): (row["state"], row["outcome"]) for row in rows}
    assert now[done] == (state, "unknown")
    assert now[found] == now[beside] == (("accepted", "accepted") if arrived else ("queued", "rejected"))


async def test_a_call_is_looked_for_while_any_of_its_messages_is_unknown(notifier: RunningNotifier) -> None:
    patient = await notifier.patient(email=None)
    notifier.carriers.script(await notifier.address(patient, "mobile"), "garbage")
    await notifier.start(lanes=())
    visits = await waiting(notifier, patient, 3)
    await lanes(notifier, Channel.SMS)
    await in_state(notifier, visits, "confirmation", "unknown")
    lead, *_ = await calls_of(notifier, visits)
    path = f"/v1/work-list/{lead['notification_id']}/drop"
    assert (await notifier.ask("POST", path, json={"by": "desk"})).is_success

    async with notifier.pool.acquire() as connection:
        [one] = await unknown_attempts(connection, 0, 86_400, 10)

    assert (one.attempt_id, one.alone) == (lead["attempt_id"], True)


async def test_of_an_unknown_outcome_one_message_is_looked_for_and_no_other_stands_in_its_way(
    notifier: RunningNotifier,
) -> None:
    patient = await notifier.patient(email=None)
    notifier.carriers.script(await notifier.address(patient, "mobile"), "garbage")
    await notifier.start(lanes=())
    visits = await waiting(notifier, patient)
    await lanes(notifier)
    await in_state(notifier, visits, "confirmation", "unknown")

    async with notifier.pool.acquire() as connection:
        [one] = await unknown_attempts(connection, 0, 86_400, 10)

    assert str(one.attempt_id) == (await taken(notifier, patient, "mobile"))[0].reference
    assert one.alone


async def test_b1_why_says_of_each_visit_that_it_was_told_and_in_which_message(notifier: RunningNotifier) -> None:
    patient = await notifier.patient(email=None)
    await notifier.start(lanes=(), **secrets())
    visits = await waiting(notifier, patient)
    await notifier.start(fanout=False, lanes=(Channel.SMS,), **secrets())
    await in_state(notifier, visits, "confirmation", "accepted")
    [told] = await taken(notifier, patient, "mobile")
    await status(notifier, told.reference, "delivered")

    of_attempt = "SELECT notification_id FROM attempt WHERE attempt_id = $1"
    lead = await notifier.pool.fetchval(of_attempt, UUID(told.reference))
    for visit in visits:
        answer = (await notifier.ask("GET", f"/v1/appointments/{visit.appointment_id}/timeline")).json()
        [called] = [entry for entry in answer["entries"] if entry["what"] == "call.accepted"]
        assert "in one message about 4 visits" in called["text"]
        row = await notifier.row(visit, "confirmation")
        assert row is not None
        assert called["ids"].get("told_with") == (None if row["notification_id"] == lead else str(lead))
        assert [entry["what"] for entry in answer["entries"] if entry["what"].startswith("receipt.")] == [
            "receipt.delivered"
        ]
        assert "The patient got: confirmation by SMS" in answer["answer"]["text"]
        listed = (await notifier.ask("GET", f"/v1/notifications?appointment={visit.appointment_id}")).json()
        [call] = [one for item in listed["items"] for one in item["calls"]]
        assert call["with_attempt"] == (None if row["notification_id"] == lead else told.reference)


async def test_b11_a_bare_yes_to_it_names_no_visit_and_is_for_staff(notifier: RunningNotifier) -> None:
    patient = await notifier.patient(email=None)
    await notifier.pool.execute(
        "INSERT INTO clinic_sending (clinic_id, version, changed_at, changed_by, replies)"
        " VALUES ('NORTH', 1, $1, 'test', true)",
        MONDAY,
    )
    await notifier.start(lanes=(), **secrets())
    visits = await waiting(notifier, patient)
    await notifier.start(fanout=False, lanes=(Channel.SMS,), **secrets())
    await in_state(notifier, visits, "confirmation", "accepted")
    mobile = await notifier.address(patient, "mobile")
    [told] = notifier.carriers.to(mobile)
    assert "Reply C" not in told.body

    assert (await sms(notifier, mobile, "yes")).is_success

    open_replies = (await notifier.ask("GET", "/v1/replies?open=true")).json()["items"]
    assert [one["why"] for one in open_replies] == ["SEVERAL_VISITS"]
