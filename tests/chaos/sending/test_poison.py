"""Poison among the events that lead to messages: each in a dead letter, whole; every sound one leaves (I11, G8)."""

from datetime import timedelta

import pytest
from aiokafka import AIOKafkaProducer

from schemas.appointments import APPOINTMENT_CHANGED
from schemas.envelope import Envelope
from schemas.reminders import REMINDER_DUE
from schemas.topics import APPOINTMENTS, REMINDERS
from tests.chaos.calls import i11_dead_letters_are_complete
from tests.chaos.evidence import Evidence, read_ledger, read_positions
from tests.support.installation import Installation
from tests.support.notifier.bookings_tables import MONDAY
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = pytest.mark.integration

POISON = (
    b"",
    b"{",
    b"\xff\xfe\x00",
    b"[]",
    b"null",
    b'{"appointment_id": 7}',
    b'{"version": ' + b"9" * 5000 + b"}",
    b"[" * 10_000,
)
"""Fewer than open the breaker of a topic of ours."""


async def test_poison_is_kept_whole_and_every_sound_reminder_leaves(
    notifier: RunningNotifier, installation: Installation
) -> None:
    evidence = Evidence()
    visits = [notifier.visit(await notifier.patient(email=None)) for _ in range(8)]
    producer = AIOKafkaProducer(bootstrap_servers=installation.bootstrap)
    await producer.start()
    try:
        for visit, raw in zip(visits, POISON, strict=True):
            await notifier.hold(visit)
            key = str(visit.appointment_id)
            for topic, kind in ((APPOINTMENTS, APPOINTMENT_CHANGED), (REMINDERS, REMINDER_DUE)):
                headers = list(Envelope(f"poison-{key}", kind, "test", key, MONDAY).headers())
                name = installation.topic_prefix + topic.name
                place = await producer.send_and_wait(name, raw, key.encode(), headers=headers)
                evidence.poison[name, place.partition, place.offset] = raw
            await notifier.due(visit)
    finally:
        await producer.stop()
    await notifier.start()
    for visit in visits:
        await notifier.settled(visit, "reminder", "accepted")

    async def passed() -> bool:
        positions = await read_positions(installation.admin_url, {})
        reached = {(topic, partition): position for (_, topic, partition), (position, _) in positions.items()}
        return all(reached.get((topic, partition), 0) > offset for topic, partition, offset in evidence.poison)

    await until(passed)
    evidence.positions = await read_positions(installation.admin_url, {})
    await read_ledger(installation.admin_url, evidence)
    assert len(evidence.letters) == 2 * len(POISON)
    assert list(i11_dead_letters_are_complete(evidence)) == []
    notifier.step(timedelta(hours=1))
    assert len(notifier.carriers.taken) == len(visits)
