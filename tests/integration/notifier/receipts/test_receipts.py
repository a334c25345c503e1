"""Carriers' reports over the API, on real parts: kept once before the answer, applied forward only (G6, D17)."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest

from chassis.process.clock import SteppedClock
from notifier.callbacks.handle.intake import Unread
from notifier.callbacks.store import PostgresUnreadables
from notifier.carriers.meta.signature import meta_signature
from notifier.receipts.domain import Carrier
from notifier.receipts.handle import match_waiting
from notifier.receipts.store import PostgresReceipts
from schemas.appointments import Appointment
from schemas.notifications import Channel, DeliveryState, NotificationChanged
from tests.support.notifier.builders import PEPPERS
from tests.support.notifier.callbacks import APP_SECRET, BOUNCE_SECRET, VERIFY, bare, meta, secrets, status, twilio
from tests.support.notifier.running import RunningNotifier
from tests.support.plain_http import plain_client
from tests.support.waiting import until
from tests.unit.notifier.carriers.test_bounces import bounce

pytestmark = pytest.mark.integration


async def reminded(notifier: RunningNotifier, *answers: int | str, **settings: Any) -> tuple[Appointment, str]:
    """Start an instance, and hand over a reminder of a patient with a mobile; return his number too."""
    patient = await notifier.patient()
    mobile = await notifier.address(patient, "mobile")
    notifier.carriers.script(mobile, *answers)
    await notifier.start(**secrets(**settings))
    visit = await notifier.book(patient)
    await notifier.settled(visit, "confirmation", "accepted")
    await notifier.due(visit)
    return visit, mobile


async def told(notifier: RunningNotifier, visit: Appointment) -> list[NotificationChanged]:
    """Return what was published of the visit's reminder, once the outbox is empty; copies of an event are one (G2)."""

    async def published() -> bool:
        return not await notifier.pool.fetchval("SELECT EXISTS (SELECT FROM outbox)")

    await until(published)
    mine = [one for one in await notifier.outcomes() if one.appointment_id == visit.appointment_id]
    versions: dict[int, NotificationChanged] = {}
    for one in mine:
        if one.kind == "reminder":
            assert versions.setdefault(one.version, one) == one
    return [versions[version] for version in sorted(versions)]


async def bare_get(notifier: RunningNotifier, path: str) -> httpx2.Response:
    """Ask without the operator's key."""
    async with plain_client() as http:
        return await http.get(f"http://127.0.0.1:{notifier.port}{path}")


async def attempt(notifier: RunningNotifier, attempt_id: object) -> asyncpg.Record:
    """Return an attempt's row."""
    row = await notifier.pool.fetchrow("SELECT * FROM attempt WHERE attempt_id = $1", attempt_id)
    assert row is not None
    return row


async def test_g6_reports_in_reverse_doubled_and_late_move_the_message_forward_only(notifier: RunningNotifier) -> None:
    visit, _ = await reminded(notifier)
    row = await notifier.settled(visit, "reminder", "accepted")

    for said in ("read", "delivered", "read", "sent", "undelivered", "delivered", "queued"):
        assert (await status(notifier, row["attempt_id"], said)).status_code == 204

    after = await notifier.row(visit, "reminder")
    assert after is not None
    assert (after["state"], after["delivery_state"]) == ("accepted", "read")
    assert (await attempt(notifier, row["attempt_id"]))["delivery_state"] == "read"
    kept = await notifier.pool.fetch("SELECT status, changed, applied_at FROM receipt ORDER BY receipt_id")
    assert [(one["status"], one["changed"]) for one in kept] == [
        ("read", True), ("delivered", False), ("accepted", False), ("undelivered", False), ("accepted", False),
    ]  # fmt: skip
    assert all(one["applied_at"] is not None for one in kept)
    outcomes = await told(notifier, visit)
    assert [(one.version, one.outcome, one.delivery_state) for one in outcomes] == [
        (1, "accepted", "unknown"),
        (2, "accepted", "read"),
    ]


async def test_a_report_before_our_own_reply_settles_the_message_and_the_reply_changes_nothing(
    notifier: RunningNotifier,
) -> None:
    visit, mobile = await reminded(notifier, "held")
    row = await notifier.settled(visit, "reminder", "sending")
    assert (await status(notifier, row["attempt_id"], "delivered", sid="SM-early")).status_code == 204

    early = await notifier.settled(visit, "reminder", "accepted")
    notifier.carriers.let_go()

    async def answered() -> bool:
        return (await notifier.look("/clock")).json()["idle"] is True

    await until(answered)
    after = await notifier.row(visit, "reminder")
    assert after is not None
    assert (early["version"], after["version"], after["delivery_state"]) == (1, 1, "delivered")
    assert (await attempt(notifier, row["attempt_id"]))["reference"] == "SM-early"
    assert len(notifier.carriers.to(mobile)) == 1


async def test_g5_an_unknown_outcome_is_settled_by_the_report(notifier: RunningNotifier) -> None:
    visit, _ = await reminded(notifier, "cut")
    row = await notifier.settled(visit, "reminder", "unknown")

    assert (await status(notifier, row["attempt_id"], "sent")).status_code == 204

    await notifier.settled(visit, "reminder", "accepted")
    made = await attempt(notifier, row["attempt_id"])
    assert (made["outcome"], made["reference"]) == ("accepted", "SM1")
    assert [one.outcome for one in await told(notifier, visit)] == ["unknown", "accepted"]


async def test_what_did_not_arrive_goes_by_the_next_channel_while_there_is_time(notifier: RunningNotifier) -> None:
    visit, _ = await reminded(notifier)
    row = await notifier.settled(visit, "reminder", "accepted")

    await status(notifier, row["attempt_id"], "undelivered", ErrorCode="30005")

    async def by_mail() -> bool:
        now = await notifier.row(visit, "reminder")
        return now is not None and (now["state"], now["lane"]) == ("accepted", "email")

    await until(by_mail)
    outcomes = [(one.outcome, one.channel, one.delivery_state) for one in await told(notifier, visit)]
    assert outcomes[:2] == [("accepted", "sms", "unknown"), ("accepted", "sms", "undelivered")]
    assert outcomes[-1][:2] == ("accepted", "email")


async def test_a_whatsapp_report_by_reference_alone_waits_until_the_reference_is_known(
    notifier: RunningNotifier,
) -> None:
    patient = await notifier.patient()
    mobile = await notifier.address(patient, "mobile")
    notifier.carriers.script(mobile, "held")
    await notifier.start(**secrets())
    body = {"whatsapp": True, "sms": True, "email": True}
    assert (await notifier.ask("PUT", f"/v1/patients/{patient}/preferences", json=body)).is_success
    visit = await notifier.book(patient)
    await notifier.settled(visit, "confirmation", "accepted")
    await notifier.due(visit)
    row = await notifier.settled(visit, "reminder", "sending")
    assert row["lane"] == "whatsapp"
    await notifier.pool.execute("UPDATE attempt SET reference = NULL WHERE attempt_id = $1", row["attempt_id"])

    early = {"id": "wamid.not-yet", "status": "read", "timestamp": "1803900000"}
    assert (await meta(notifier, statuses=[early])).status_code == 200
    assert await notifier.pool.fetchval("SELECT count(*) FROM receipt WHERE applied_at IS NULL") == 1

    notifier.carriers.let_go()
    await notifier.settled(visit, "reminder", "accepted")
    await notifier.pool.execute(
        "UPDATE attempt SET reference = 'wamid.not-yet' WHERE attempt_id = $1", row["attempt_id"]
    )

    async def read() -> bool:
        now = await notifier.row(visit, "reminder")
        return now is not None and now["delivery_state"] == "read"

    await until(read)


async def test_a_forged_report_is_401_counted_and_nothing_is_kept(notifier: RunningNotifier) -> None:
    visit, _ = await reminded(notifier)
    row = await notifier.settled(visit, "reminder", "accepted")
    path = f"/callbacks/twilio/{row['attempt_id']}"
    fields = {"MessageSid": "SM1", "MessageStatus": "read"}

    answers = [
        await twilio(notifier, path, token="another", **fields),
        await bare(notifier, path, b"MessageSid=SM1&MessageStatus=read"),
        await meta(notifier, secret="another", statuses=[]),
        await bare(notifier, "/callbacks/meta", b"{}"),
        await bare(notifier, "/callbacks/dsn", bounce(), {"X-Bounce-Secret": "another"}),
        await bare(notifier, "/callbacks/twilio/inbound", b"MessageSid=1&From=%2B4420&Body=STOP"),
    ]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [(401, "BAD_SIGNATURE")] * 6
    for table in ("receipt", "reply", "opt_out"):
        assert await notifier.pool.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608  # the test's own
    metrics = (await notifier.look("/metrics")).text
    assert 'attend_callbacks_total{carrier="twilio",fate="bad_signature"} 3.0' in metrics
    assert (await notifier.row(visit, "reminder"))["delivery_state"] == "unknown"  # type: ignore[index]  # it is there


async def test_a_report_of_nothing_we_know_is_kept_answered_and_shown(notifier: RunningNotifier) -> None:
    await notifier.start(lanes=(), **secrets())
    stranger = uuid4()

    for _ in range(2):
        assert (await status(notifier, stranger, "delivered")).status_code == 204
    reports = [{"id": "wamid.x", "status": "delivered", "timestamp": "1", "biz_opaque_callback_data": "not an id"}]
    assert (await meta(notifier, statuses=reports)).status_code == 200

    kept = await notifier.pool.fetch("SELECT asked_attempt_id, attempt_id, applied_at FROM receipt ORDER BY receipt_id")
    assert [tuple(one) for one in kept] == [(stranger, None, None), (None, None, None)]
    assert (await notifier.look("/status")).json()["unmatched_receipts"] == 2


async def test_large_and_foreign_callbacks_leave_nothing(notifier: RunningNotifier) -> None:
    await notifier.start(lanes=(), **secrets())
    huge = b"x" * 10_000_000

    large = [await bare(notifier, f"/callbacks/{path}", huge) for path in ("twilio/inbound", "twilio/1", "meta")]
    assert [(one.status_code, one.json()["code"]) for one in large] == [(413, "BODY_TOO_LARGE")] * 3
    for table in ("receipt", "reply", "unreadable_callback"):
        assert await notifier.pool.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608  # the test's own


async def test_what_is_signed_and_cannot_be_read_is_kept_once_counted_listed_and_answered_like_the_rest(
    notifier: RunningNotifier,
) -> None:
    await notifier.start(lanes=(), **secrets())
    broken, odd = b'{"entry": [', {"status": "sent", "title": "CANARY"}

    for _ in range(2):
        answers = [
            await twilio(notifier, f"/callbacks/twilio/{uuid4()}", MessageSid="SM1", MessageStatus="dancing"),
            await twilio(notifier, "/callbacks/twilio/not-an-id", MessageSid="SM1", MessageStatus="sent"),
            await twilio(notifier, "/callbacks/twilio/inbound", MessageSid="SM1", From="Ada", Body="C\0"),
            await meta(notifier, statuses=[odd]),
            await bare(
                notifier, "/callbacks/meta", broken, {"X-Hub-Signature-256": meta_signature(APP_SECRET, broken)}
            ),
            await bare(notifier, "/callbacks/dsn", b"hello", {"X-Bounce-Secret": BOUNCE_SECRET}),
        ]
        assert [one.status_code for one in answers] == [204, 204, 200, 200, 200, 204]

    page = (await notifier.ask("GET", "/v1/unreadable-callbacks", params={"limit": 4})).json()
    rest = (await notifier.ask("GET", "/v1/unreadable-callbacks", params={"before": page["next_before"]})).json()
    listed = [*page["items"], *rest["items"]]
    assert [(one["carrier"], one["reason"]) for one in reversed(listed)] == [
        ("twilio", "MessageStatus"), ("twilio", "attempt"), ("twilio", "From"),
        ("meta", "statuses.id"), ("meta", "JSON"), ("email", "message/delivery-status"),
    ]  # fmt: skip
    contents = [
        (await notifier.ask("GET", f"/v1/unreadable-callbacks/{one['unreadable_id']}")).content for one in listed
    ]
    assert (contents[0], contents[1]) == (b"hello", broken)
    assert b"CANARY" in contents[2]
    assert "CANARY" not in str(listed)
    assert (await bare_get(notifier, "/v1/unreadable-callbacks")).status_code == 401
    assert (await notifier.look("/status")).json()["unreadable_callbacks"] == 6
    metrics = (await notifier.look("/metrics")).text
    assert 'attend_callbacks_total{carrier="meta",fate="unreadable"} 4.0' in metrics
    assert "CANARY" not in metrics


async def test_unreadable_callbacks_are_kept_up_to_a_bound(notifier: RunningNotifier) -> None:
    clock = SteppedClock(notifier.clock_file)
    kept = PostgresUnreadables(notifier.pool, clock, most=3)

    new = [await kept.keep(Carrier.META, [Unread("JSON", b"x" * 70_000 + bytes([one]))]) for one in range(5)]

    assert new == [1, 1, 1, 0, 0]
    sizes = await notifier.pool.fetch("SELECT size, length(content) FROM unreadable_callback")
    assert {tuple(row) for row in sizes} == {(70_001, 65_536)}


async def test_one_webhook_with_reports_of_two_calls_of_one_message_is_applied_and_answered(
    notifier: RunningNotifier,
) -> None:
    patient = await notifier.patient()
    notifier.carriers.script(await notifier.address(patient, "mobile"), 503, 502)
    await notifier.start(**secrets())
    on = {"whatsapp": True, "sms": False, "email": True}
    await notifier.ask("PUT", f"/v1/patients/{patient}/preferences", json=on)
    visit = await notifier.book(patient)
    await notifier.settled(visit, "confirmation", "accepted")
    await notifier.due(visit)
    await notifier.tried(visit, "reminder", 1)
    notifier.step(timedelta(seconds=30))
    row = await notifier.settled(visit, "reminder", "unknown")
    calls = await notifier.pool.fetch(
        "SELECT attempt_id FROM attempt WHERE notification_id = $1 ORDER BY ordinal", row["notification_id"]
    )
    reports = [
        {"id": f"wamid.{n}", "status": said, "timestamp": "1803900000", "biz_opaque_callback_data": str(one[0])}
        for n, one in enumerate(calls) for said in ("delivered", "sent")
    ]  # fmt: skip

    for _ in range(2):
        assert (await meta(notifier, statuses=reports)).status_code == 200

    after = await notifier.settled(visit, "reminder", "accepted")
    assert (after["delivery_state"], after["attempt_id"]) == ("delivered", calls[0]["attempt_id"])
    made = [await attempt(notifier, one[0]) for one in calls]
    assert [(one["outcome"], one["delivery_state"]) for one in made] == [
        ("accepted", "delivered"), ("unknown", "delivered"),
    ]  # fmt: skip
    assert await notifier.pool.fetchval("SELECT count(*) FROM unreadable_callback") == 0


async def test_a_report_that_cannot_be_applied_keeps_none_of_those_that_wait_behind_it(
    notifier: RunningNotifier,
) -> None:
    visit, _ = await reminded(notifier)
    row = await notifier.settled(visit, "reminder", "accepted")
    other = await notifier.book(visit.patient_id)
    fine = await notifier.settled(other, "confirmation", "accepted")
    receipts = PostgresReceipts(notifier.pool, PEPPERS)
    for number, one in enumerate((row, fine)):
        await notifier.pool.execute(
            "INSERT INTO receipt (carrier, key, asked_attempt_id, status, received_at) VALUES ($1, $2, $3, 'read', $4)",
            "twilio" if one is row else "email", f"late-{number}", one["attempt_id"], notifier.now,
        )  # fmt: skip
    # a ledger that a machine of ours never writes: the message's attempt says what no domain type has
    await notifier.pool.execute("UPDATE notification SET reason = 'NO_SUCH' WHERE notification_id = $1", row[0])

    async def none_waits() -> bool:
        """Look for those that wait; the service's own look may have them under lock, and then ours finds none."""
        await match_waiting(receipts, 500, notifier.now)
        return not await notifier.pool.fetchval("SELECT count(*) FROM receipt WHERE changed IS NULL")

    await until(none_waits)
    waited = await notifier.pool.fetch("SELECT key, changed, trouble FROM receipt ORDER BY receipt_id")
    assert [tuple(one) for one in waited] == [("late-0", False, "ValueError"), ("late-1", True, None)]


async def test_metas_challenge_is_answered_to_who_knows_the_token(notifier: RunningNotifier) -> None:
    await notifier.start(lanes=(), **secrets())

    async def ask(token: str) -> tuple[int, str]:
        asked = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "1158201444"}
        answer = await notifier.ask("GET", "/callbacks/meta", params=asked)
        return answer.status_code, answer.text

    assert await ask(VERIFY) == (200, "1158201444")
    assert (await ask("another"))[0] == 401


async def test_a_bounce_by_http_and_one_by_the_mailbox_reach_their_messages(
    notifier: RunningNotifier, tmp_path: Path
) -> None:
    box = tmp_path / "bounces"
    patient = await notifier.patient(mobile=None)
    await notifier.start(**secrets(bounce_maildir=box))
    visit = await notifier.book(patient)
    sent = await notifier.settled(visit, "confirmation", "accepted")
    await notifier.due(visit)
    reminder = await notifier.settled(visit, "reminder", "accepted")

    posted = bounce(message_id=f"<{sent['attempt_id']}@attend.example>")
    answer = await bare(notifier, "/callbacks/dsn", posted, {"X-Bounce-Secret": BOUNCE_SECRET})
    assert answer.status_code == 204

    async def made() -> bool:
        return (box / "new").is_dir()

    await until(made)
    (box / "new" / "2.junk").write_bytes(b"I am on holiday")
    (box / "new" / "1.bounce").write_bytes(bounce(envelope=str(reminder["attempt_id"]), message_id=None))

    async def both() -> bool:
        return sorted(path.name for path in (box / "cur").iterdir()) == ["1.bounce:2,S", "2.junk:2,"]

    await until(both)
    for attempt_id in (sent["attempt_id"], reminder["attempt_id"]):
        made_ = await attempt(notifier, attempt_id)
        assert (made_["channel"], made_["delivery_state"]) == (Channel.EMAIL, "undelivered")
    codes = await notifier.pool.fetch("SELECT code FROM receipt")
    assert {row["code"] for row in codes} == {"DSN_5.1.1"}
    failed = await notifier.settled(visit, "reminder", "failed")
    assert (failed["reason"], failed["delivery_state"]) == ("UNDELIVERED", "undelivered")


async def test_many_copies_of_many_reports_at_once_end_as_one_story(notifier: RunningNotifier) -> None:
    visit, _ = await reminded(notifier)
    row = await notifier.settled(visit, "reminder", "accepted")
    said = ["read", "undelivered", "delivered", "sent", "failed", "queued"] * 6

    answers = await asyncio.gather(*(status(notifier, row["attempt_id"], one) for one in said))

    assert {one.status_code for one in answers} == {204}
    after = await notifier.settled(visit, "reminder", "accepted")
    assert after["delivery_state"] == "read"
    assert await notifier.pool.fetchval("SELECT count(*) FROM receipt") == len({*said})
    outcomes = await told(notifier, visit)
    assert [one.version for one in outcomes] == list(range(1, len(outcomes) + 1))
    states = [list(DeliveryState).index(one.delivery_state) for one in outcomes]
    assert states == sorted(states)
