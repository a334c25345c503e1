"""The projector at its work: it learns of clinics from their topic and says when their days begin (R19)."""

from datetime import timedelta

import pytest

from schemas.appointments import ReminderPolicy, SendWindow
from schemas.envelope import Envelope, event_type
from schemas.people import CLINIC_CHANGED, Clinic
from schemas.reminders import CLINIC_DAY_DUE, ClinicDayDue
from schemas.topics import CLINICS, REMINDERS
from schemas.wire import decode, encode
from tests.support.reminders.builders import NOW
from tests.support.reminders.running import Process, RunningReminders
from tests.support.waiting import until

pytestmark = pytest.mark.integration

EIGHT = (NOW + timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
"""Of Reykjavik's wall, which is UTC's."""


async def enter(reminders: RunningReminders, clinic_id: str) -> None:
    """Publish a clinic, as booking does."""
    policy = ReminderPolicy(policy_id="p", rules=(), window=SendWindow(opens=EIGHT.time(), closes=EIGHT.time()))
    clinic = Clinic(clinic_id=clinic_id, version=1, name="A clinic", zone="Atlantic/Reykjavik", policy=policy)
    envelope = Envelope(f"{clinic_id}-1", CLINIC_CHANGED, "attend/booking", clinic_id, NOW)
    topic = reminders.installation.topic_prefix + CLINICS.name
    await reminders.producer.send_and_wait(topic, encode(clinic), clinic_id.encode(), headers=list(envelope.headers()))


async def begun(reminders: RunningReminders) -> list[tuple[bytes | None, ClinicDayDue]]:
    """Return key and body of every beginning of a day."""
    records = [r for r in await reminders.records(REMINDERS) if event_type(tuple(r.headers)) == CLINIC_DAY_DUE]
    return [(record.key, decode(ClinicDayDue, record.value)) for record in records]


async def knows(reminders: RunningReminders, clinics: int) -> None:
    pool = await reminders.installation.pool("reminders")

    async def known() -> bool:
        return bool(await pool.fetchval("SELECT count(*) FROM clinic") == clinics)

    await until(known, "the clinics known")


async def test_two_projectors_begin_the_day_of_each_clinic_once_and_show_it(reminders: RunningReminders) -> None:
    running: list[Process] = [reminders.start("projector"), reminders.start("projector")]
    await reminders.ready(*running)
    await enter(reminders, "EYE")
    await enter(reminders, "ENT")
    await knows(reminders, 2)
    assert (await reminders.get(running[0], "/clock")).json()["next_wake_at"] == EIGHT.isoformat()

    reminders.step(EIGHT)
    await reminders.idle(*running)

    assert sorted((key, event.clinic_id, event.due) for key, event in await begun(reminders)) == [
        (b"ENT", "ENT", EIGHT),
        (b"EYE", "EYE", EIGHT),
    ]
    status = (await reminders.get(running[0], "/status")).json()
    assert status["clinic_day_last_slot"] == EIGHT.isoformat()
    assert status["clinic_day_next_slot"] == (EIGHT + timedelta(days=1)).isoformat()
    texts = [(await reminders.get(process, "/metrics")).text for process in running]
    done = [line for text in texts for line in text.splitlines() if line.startswith("attend_slots_total{job=")]
    assert sum(float(line.rpartition(" ")[2]) for line in done if 'outcome="done"' in line) == 2
