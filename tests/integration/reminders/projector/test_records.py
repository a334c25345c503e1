"""The reminder records and their API: worker, projector and the notifier's word, on the real parts."""

import hashlib
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from chassis.delivery.dead_letter import listed
from reminders.projector.store import close_overdue
from schemas.appointments import Status
from schemas.envelope import Envelope
from schemas.notifications import (
    NOTIFICATION_CHANGED,
    Channel,
    DeliveryState,
    Kind,
    NotificationChanged,
    Outcome,
)
from schemas.reminders import Reason
from schemas.topics import APPOINTMENTS, NOTIFICATIONS
from schemas.wire import encode, notification_id, reminder_id
from tests.support.reminders.builders import VISIT, appointment, id_of
from tests.support.reminders.running import KEY, Process, RunningReminders

pytestmark = pytest.mark.integration

VISIT_ID = id_of("visit")


@pytest.fixture
async def running(reminders: RunningReminders) -> list[Process]:
    """Start worker and projector."""
    processes = [reminders.start("worker"), reminders.start("projector")]
    await reminders.ready(*processes)
    return processes


async def tell(
    reminders: RunningReminders,
    outcome: Outcome,
    reason: Reason | None = None,
    *,
    slug: str = "24h",
    version: int = 1,
    after: DeliveryState = DeliveryState.UNKNOWN,
) -> UUID:
    """Say what became of a reminder's message, as the notifier does."""
    cause = reminder_id(VISIT_ID, 1, slug)
    told = NotificationChanged(
        notification_id=notification_id((cause,), "patient", "reminder"),
        version=version,
        appointment_id=VISIT_ID,
        schedule_gen=1,
        kind=Kind.REMINDER,
        recipient="patient",
        reminder_id=cause,
        outcome=outcome,
        channel=Channel.SMS,
        reason=reason,
        delivery_state=after,
        at=VISIT - timedelta(hours=23),
        attempts=1,
        caused_by="due",
    )
    envelope = Envelope(str(told.notification_id), NOTIFICATION_CHANGED, "attend/notifier", str(VISIT_ID), told.at)
    await reminders.producer.send_and_wait(
        reminders.installation.topic_prefix + NOTIFICATIONS.name,
        key=str(VISIT_ID).encode(),
        value=encode(told),
        headers=list(envelope.headers()),
    )
    return told.notification_id


async def test_r11_r13_r17_from_scheduled_to_sent_with_the_link_and_its_history(
    reminders: RunningReminders, running: list[Process]
) -> None:
    await reminders.publish(appointment())
    await reminders.idle(*running)
    assert set((await reminders.statuses(VISIT_ID)).values()) == {("SCHEDULED", None)}

    reminders.step(VISIT - timedelta(hours=24))
    await reminders.idle(*running)
    message = await tell(reminders, Outcome.ACCEPTED)
    await reminders.idle(*running)

    sent = (await reminders.reminders(VISIT_ID))[(1, "24h")]
    assert (sent["status"], sent["notification_id"], sent["sent_at"]) == ("SENT", message, VISIT - timedelta(hours=23))
    pool = await reminders.installation.pool("reminders")
    history = await pool.fetch(
        "SELECT status, handed_over_at IS NOT NULL AS handed FROM reminder_history WHERE reminder_id = $1 ORDER BY id",
        sent["reminder_id"],
    )
    assert [tuple(row) for row in history] == [("SCHEDULED", False), ("SCHEDULED", True), ("SENT", True)]
    for statement in ("UPDATE reminder_history SET status = 'SENT'", "DELETE FROM reminder_history"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(statement)


async def test_d17_what_receipts_tell_reaches_the_record_and_its_history_and_never_steps_back(
    reminders: RunningReminders, running: list[Process]
) -> None:
    await reminders.publish(appointment())
    reminders.step(VISIT - timedelta(hours=24))
    for version, after in enumerate(("unknown", "undelivered", "read", "delivered"), 1):
        await tell(reminders, Outcome.ACCEPTED, version=version, after=DeliveryState(after))
    await reminders.idle(*running)

    sent = (await reminders.reminders(VISIT_ID))[(1, "24h")]
    assert (sent["status"], sent["delivery_state"]) == ("SENT", "read")
    pool = await reminders.installation.pool("reminders")
    history = await pool.fetch(
        "SELECT delivery_state FROM reminder_history WHERE reminder_id = $1 AND status = 'SENT' ORDER BY id",
        sent["reminder_id"],
    )
    told = [row["delivery_state"] for row in history]
    assert told[-1] == "read"
    assert told == sorted(told, key=list(DeliveryState).index)


async def test_r14_d10_g8_cancelled_moved_and_impossible_to_read(
    reminders: RunningReminders, running: list[Process]
) -> None:
    topic = reminders.installation.topic_prefix + APPOINTMENTS.name
    place = await reminders.producer.send_and_wait(topic, key=b"poison", value=b"\xff\x00", headers=[("ce_type", b"x")])
    moved = appointment(version=2, schedule_gen=2, starts_at=VISIT + timedelta(days=1))
    await reminders.publish(appointment(), moved, appointment("other"))
    await reminders.publish(appointment("other", version=2, status=Status.CANCELLED))
    await reminders.idle(*running)

    assert await reminders.statuses(VISIT_ID) == {
        (1, "24h"): ("CANCELLED", "RESCHEDULED"),
        (1, "2h"): ("CANCELLED", "RESCHEDULED"),
        (2, "24h"): ("SCHEDULED", None),
        (2, "2h"): ("SCHEDULED", None),
    }
    assert set((await reminders.statuses(id_of("other"))).values()) == {("CANCELLED", "APPOINTMENT_CANCELLED")}
    said = running[1].log
    assert said.count('"reminders.cancelled"') == 2
    assert '"count": 2' in said
    letters = await listed(await reminders.installation.pool("reminders"))
    assert [(d.topic, d.partition, d.offset, d.value, d.code) for d in letters] == [
        (topic, place.partition, place.offset, b"\xff\x00", "UNKNOWN_TYPE")
    ]


async def test_the_notifiers_word_may_come_before_the_plan(reminders: RunningReminders) -> None:
    projector = reminders.start("projector")
    await reminders.ready(projector)
    await tell(reminders, Outcome.SKIPPED, Reason.CHANNELS_DISABLED)
    await reminders.idle(projector)
    assert await reminders.statuses(VISIT_ID) == {(1, None): ("CANCELLED", "CHANNELS_DISABLED")}

    worker = reminders.start("worker")
    await reminders.ready(worker)
    await reminders.publish(appointment())
    await reminders.idle(worker, projector)

    assert (await reminders.statuses(VISIT_ID))[(1, "24h")] == ("CANCELLED", "CHANNELS_DISABLED")


async def test_reading_everything_again_changes_nothing(reminders: RunningReminders, running: list[Process]) -> None:
    """The projector's positions go back to 0, as after a restore: same records, no new history."""
    await reminders.publish(appointment(), appointment(version=2, status=Status.CANCELLED), appointment("other"))
    reminders.step(VISIT - timedelta(hours=24))
    await reminders.idle(*running)
    await tell(reminders, Outcome.FAILED, Reason.REFUSED)
    await reminders.idle(*running)
    pool = await reminders.installation.pool("reminders")
    before = await pool.fetch("SELECT * FROM reminder ORDER BY reminder_id")
    entries = await pool.fetchval("SELECT count(*) FROM reminder_history")
    running[1].kill()

    await pool.execute("UPDATE consumer_offset SET next_offset = 0")
    again = reminders.start("projector")
    await reminders.ready(again)
    await reminders.idle(again)

    assert await pool.fetch("SELECT * FROM reminder ORDER BY reminder_id") == before
    assert await pool.fetchval("SELECT count(*) FROM reminder_history") == entries


async def test_g7_what_has_no_outcome_72_hours_after_the_visit_gets_one(
    reminders: RunningReminders, running: list[Process]
) -> None:
    await reminders.publish(appointment())
    reminders.step(VISIT - timedelta(hours=24))
    await reminders.idle(*running)
    pool = await reminders.installation.pool("reminders")
    await pool.execute("UPDATE reminder SET handed_over_at = NULL WHERE rule = '2h'")

    closed = [await close_overdue(pool, VISIT + timedelta(hours=hours)) for hours in (71, 72, 72)]

    assert closed == [0, 2, 0]
    assert await reminders.statuses(VISIT_ID) == {
        (1, "24h"): ("FAILED", "OUTCOME_UNKNOWN"),
        (1, "2h"): ("CANCELLED", "TOO_LATE"),
    }


async def test_the_api_shows_each_reminder_to_the_operator_only(
    reminders: RunningReminders, running: list[Process]
) -> None:
    api = reminders.start("api", ATTEND_OPERATOR_KEY_SHA256=hashlib.sha256(KEY.encode()).hexdigest())
    await reminders.ready(api)
    await reminders.publish(appointment())
    await reminders.idle(*running)
    url = f"http://127.0.0.1:{api.port}/v1/reminders"
    allowed = {"Authorization": f"Bearer {KEY}"}

    page = (await reminders.http.get(url, params={"appointment": str(VISIT_ID)}, headers=allowed)).json()

    assert [(item["rule"], item["status"], item["scheduled_for"]) for item in page["items"]] == [
        ("24h", "SCHEDULED", (VISIT - timedelta(hours=24)).isoformat().replace("+00:00", "Z")),
        ("2h", "SCHEDULED", (VISIT - timedelta(hours=2)).isoformat().replace("+00:00", "Z")),
    ]
    first = {"appointment": str(VISIT_ID), "limit": "1"}
    one = (await reminders.http.get(url, params=first, headers=allowed)).json()
    rest = (await reminders.http.get(url, params={**first, "after": one["next_after"]}, headers=allowed)).json()
    assert [i["rule"] for i in one["items"] + rest["items"]] == ["24h", "2h"]
    none = await reminders.http.get(url, params={"appointment": str(VISIT_ID), "status": "SENT"}, headers=allowed)
    assert none.json()["items"] == []
    history = await reminders.http.get(f"{url}/{page['items'][0]['reminder_id']}/history", headers=allowed)
    assert [entry["status"] for entry in history.json()["items"]] == ["SCHEDULED"]
    assert (await reminders.http.get(url, params={"appointment": str(VISIT_ID)})).status_code == 401
    assert (await reminders.http.get(url, headers=allowed)).status_code == 422
