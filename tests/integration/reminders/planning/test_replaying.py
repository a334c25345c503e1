"""The worker's dead letters go back to it by `reminders-replays`, as they were (G8)."""

import asyncio
import sys

import pytest

from chassis.delivery.dead_letter import DeadLetter, listed, store
from chassis.kafka.partitioner import partition_of
from chassis.postgres.database import Pool
from reminders.projector.store import WORKER
from schemas.appointments import Appointment
from schemas.topics import APPOINTMENTS, REMINDERS_REPLAYS
from schemas.wire import encode
from tests.support.reminders.builders import appointment, headers_of
from tests.support.reminders.running import RunningReminders

pytestmark = pytest.mark.integration

PARTITION = 7
"""Of the letters that nobody takes: replaying does not ask which partition is the key's."""


async def refused(
    reminders: RunningReminders,
    event: Appointment,
    topic: str = APPOINTMENTS.name,
    partition: int = PARTITION,
    value: bytes = b"",
) -> int:
    """Keep the event as a letter of the worker, as one that could not plan it then; return the letter's id."""
    pool = await reminders.installation.pool("reminders")
    key = str(event.appointment_id).encode()
    letter = DeadLetter(
        topic=reminders.installation.topic_prefix + topic,
        partition=partition,
        offset=event.version,
        key=key,
        value=value or encode(event),
        headers=tuple(headers_of(event)),
        code="INTERNAL",
        message="a fault that is mended",
    )
    async with pool.acquire() as connection, connection.transaction():
        await store(connection, WORKER, [letter])
    return int(await pool.fetchval("SELECT max(id) FROM dead_letter"))


async def replay(reminders: RunningReminders, *letters: int, **env: str) -> tuple[int | None, str]:
    """Run `python -m reminders dead-letters replay`; return its exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reminders", "dead-letters", "replay", *map(str, letters)),
        env={**reminders.installation.env, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def states(pool: Pool) -> list[str]:
    return [letter.state for letter in await listed(pool, None)]


async def test_g8_a_refused_record_is_published_as_it_was_and_once(reminders: RunningReminders) -> None:
    first, second = appointment(), appointment(version=2)
    letters = [await refused(reminders, first), await refused(reminders, second, REMINDERS_REPLAYS.name)]

    code, said = await replay(reminders, *letters)
    again = await replay(reminders, letters[0])

    assert (code, said.splitlines()) == (0, [f"{letter}: published for the worker" for letter in letters])
    assert (again[0], again[1].startswith(f"{letters[0]}: done before: replayed at 2")) == (0, True)
    records = await reminders.records(REMINDERS_REPLAYS)
    assert [(r.partition, r.key, r.value, tuple(r.headers)) for r in records] == [
        (PARTITION, str(event.appointment_id).encode(), encode(event), tuple(headers_of(event)))
        for event in (first, second)
    ]
    assert await states(await reminders.installation.pool("reminders")) == ["replayed", "replayed"]


async def test_g8_a_letter_that_kafka_did_not_acknowledge_stays_open(reminders: RunningReminders) -> None:
    letter = await refused(reminders, appointment())

    code, said = await replay(reminders, letter, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")

    assert code == 1
    assert "KAFKA_UNAVAILABLE" in said
    assert await states(await reminders.installation.pool("reminders")) == ["open"]
    assert await reminders.records(REMINDERS_REPLAYS) == []


async def test_g8_the_worker_takes_what_is_replayed_and_twice_is_once(reminders: RunningReminders) -> None:
    worker = reminders.start("worker")
    await reminders.ready(worker)
    visit = appointment()
    place = partition_of(str(visit.appointment_id).encode(), APPOINTMENTS.partitions)
    letter = await refused(reminders, visit, partition=place)
    other = await refused(reminders, appointment(version=2), partition=place, value=b"\xff")
    pool = await reminders.installation.pool("reminders")

    await replay(reminders, letter, other)
    await reminders.idle(worker)
    await pool.execute("UPDATE dead_letter SET state = 'open' WHERE id = $1", letter)  # as if its commit had been lost
    await replay(reminders, letter)
    await reminders.publish(visit)
    await reminders.idle(worker)

    assert [plan.appointment_id for plan in await reminders.planned()] == [visit.appointment_id]
    projector = reminders.start("projector")
    await reminders.ready(projector)
    await reminders.idle(projector)
    again = [(d.topic.removeprefix(reminders.installation.topic_prefix), d.value) for d in await listed(pool)]
    assert again == [(REMINDERS_REPLAYS.name, b"\xff")], "what is refused again is a letter again"
