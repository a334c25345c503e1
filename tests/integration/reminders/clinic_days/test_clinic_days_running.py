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
from tests.support.reminders.running import Process, World
from tests.support.waiting import until

pytestmark = pytest.mark.integration

EIGHT = (NOW + timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
"""Of Reykjavik's wall, which is UTC's."""


async def enter(world: World, clinic_id: str) -> None:
    """Publish a clinic, as booking does."""
    policy = ReminderPolicy(policy_id="p", rules=(), window=SendWindow(opens=EIGHT.time(), closes=EIGHT.time()))
    clinic = Clinic(clinic_id=clinic_id, version=1, name="A clinic", zone="Atlantic/Reykjavik", policy=policy)
    envelope = Envelope(f"{clinic_id}-1", CLINIC_CHANGED, "attend/booking", clinic_id, NOW)
    topic = world.installation.topic_prefix + CLINICS.name
    await world.producer.send_and_wait(topic, encode(clinic), clinic_id.encode(), headers=list(envelope.headers()))


async def begun(world: World) -> list[tuple[bytes | None, ClinicDayDue]]:
    """Return key and body of every beginning of a day."""
    records = [r for r in await world.records(REMINDERS) if event_type(tuple(r.headers)) == CLINIC_DAY_DUE]
    return [(record.key, decode(ClinicDayDue, record.value)) for record in records]


async def knows(world: World, clinics: int) -> None:
    pool = await world.installation.pool("reminders")

    async def known() -> bool:
        return bool(await pool.fetchval("SELECT count(*) FROM clinic") == clinics)

    await until(known, "the clinics known")


async def test_two_projectors_begin_the_day_of_each_clinic_once_and_show_it(world: World) -> None:
    running: list[Process] = [world.start("projector"), world.start("projector")]
    await world.ready(*running)
    await enter(world, "EYE")
    await enter(world, "ENT")
    await knows(world, 2)
    assert (await world.get(running[0], "/clock")).json()["next_wake_at"] == EIGHT.isoformat()

    world.step(EIGHT)
    await world.idle(*running)

    assert sorted((key, event.clinic_id, event.due) for key, event in await begun(world)) == [
        (b"ENT", "ENT", EIGHT),
        (b"EYE", "EYE", EIGHT),
    ]
    status = (await world.get(running[0], "/status")).json()
    assert status["clinic_day_last_slot"] == EIGHT.isoformat()
    assert status["clinic_day_next_slot"] == (EIGHT + timedelta(days=1)).isoformat()
    texts = [(await world.get(process, "/metrics")).text for process in running]
    done = [line for text in texts for line in text.splitlines() if line.startswith("attend_slots_total{job=")]
    assert sum(float(line.rpartition(" ")[2]) for line in done if 'outcome="done"' in line) == 2
