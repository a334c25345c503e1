"""What the worker cannot read of one partition never ends it, holds up no other, and is not passed over unseen (G8)."""

import asyncio
import signal
from base64 import b64decode
from collections.abc import Callable, Sequence
from datetime import timedelta

import httpx2
import pytest
from aiokafka import AIOKafkaConsumer

from chassis.delivery.unreadable_limit import PER_MINUTE
from chassis.kafka.partitioner import partition_of
from chassis.kafka.unpacked_size import MOST_BYTES
from reminders.timers.intake import SLICE
from schemas.appointments import Appointment
from schemas.envelope import event_type
from schemas.reminders import REMINDER_DEAD_LETTER, ReminderDeadLetter
from schemas.topics import APPOINTMENTS, REMINDERS
from schemas.wire import decode, encode
from tests.support.raw_batches import PLAIN, SNAPPY, ZSTD, Content, NotText, append_raw, batch
from tests.support.reminders.builders import VISIT, appointment, headers_of
from tests.support.reminders.running import Process, RunningReminders, names
from tests.support.waiting import until

pytestmark = pytest.mark.integration


def partition(visit: Appointment) -> int:
    return partition_of(str(visit.appointment_id).encode(), APPOINTMENTS.partitions)


def visits(number: int, of_partition: int, *, elsewhere: bool = False) -> list[Appointment]:
    """Return so many visits whose events are in this partition, or in others."""
    found: list[Appointment] = []
    for n in range(1000):
        visit = appointment(f"visit {n}")
        if (partition(visit) == of_partition) is not elsewhere:
            found.append(visit)
        if len(found) == number:
            break
    return found


def record(visit: Appointment, *headers: tuple[str, bytes | None]) -> Content:
    return str(visit.appointment_id).encode(), encode(visit), (*headers_of(visit), *headers)


async def append(reminders: RunningReminders, raw: bytes, to: int) -> None:
    await append_raw(reminders.installation.bootstrap, reminders.installation.topic_prefix + APPOINTMENTS.name, raw, to)


async def planned(reminders: RunningReminders, wanted: Sequence[Appointment]) -> bool:
    return {plan.appointment_id for plan in await reminders.planned()} >= {visit.appointment_id for visit in wanted}


async def dead(reminders: RunningReminders) -> list[ReminderDeadLetter]:
    found = await reminders.records(REMINDERS)
    return [decode(ReminderDeadLetter, r.value) for r in found if event_type(tuple(r.headers)) == REMINDER_DEAD_LETTER]


async def reasons(reminders: RunningReminders, worker: Process) -> str:
    return str((await reminders.get(worker, "/health/ready")).json()["reasons"])


@pytest.mark.parametrize(
    ("codec", "name"), [(PLAIN, "caf\xe9"), (ZSTD, "\xff\xfe"), (SNAPPY, "\xed\xa0\x80"), (PLAIN, "\x00\x80")]
)
async def test_a_header_name_that_is_not_utf8_makes_that_record_alone_a_dead_letter(
    reminders: RunningReminders, codec: int, name: str
) -> None:
    first, strange, last, later = visits(4, 0)
    odd = record(strange, (NotText(name), b"\x00"), (NotText(name), None))
    await append(reminders, batch(record(first), odd, record(last), codec=codec), 0)
    await append(reminders, batch(record(later)), 0)
    others = visits(3, 0, elsewhere=True)
    await reminders.publish(*others)

    worker = reminders.start("worker")
    await reminders.ready(worker)
    await reminders.idle(worker)

    assert await planned(reminders, [first, last, later, *others])
    assert not await planned(reminders, [strange])
    (letter,) = await dead(reminders)
    assert (letter.partition, letter.offset, letter.code) == (0, 1, "HEADER_NOT_UTF8")
    assert letter.header_bytes is not None
    kept = [(b64decode(held), None if value is None else b64decode(value)) for held, value in letter.header_bytes]
    assert kept[-2:] == [(name.encode("latin-1"), b"\x00"), (name.encode("latin-1"), None)]
    assert b64decode(letter.value or "") == odd[1]
    assert worker.kill(signal.SIGTERM) == 0


def torn() -> bytes:
    return batch((b"key", b"value", ()), (b"key", b"value", ()), odd_attributes=True)


def huge() -> bytes:
    return batch((b"key", bytes(MOST_BYTES), ()), (b"key", b"", ()), codec=ZSTD)


@pytest.mark.parametrize(("unreadable", "why"), [(torn, "CorruptRecordException"), (huge, "larger than 32 MiB")])
async def test_a_batch_that_cannot_be_read_stops_its_partition_alone_while_timers_fire(
    reminders: RunningReminders, unreadable: Callable[[], bytes], why: str
) -> None:
    before, after = visits(2, 0)
    others = visits(5, 0, elsewhere=True)
    await reminders.publish(before)
    await append(reminders, unreadable(), 0)
    await reminders.publish(after, *others)
    worker = reminders.start("worker")

    await until(lambda: _says(reminders, worker, "appointments[0] stands at 1"), "it says what stands still")
    await until(lambda: planned(reminders, [before, *others]), "the other partitions go on")
    reminders.step(VISIT - timedelta(hours=24))
    await until(lambda: _handed_over(reminders, 6), "timers fire, those of that partition too")

    told = await reasons(reminders, worker)
    assert "cannot be read: " in told
    assert why in told
    assert "appointments 0 --to 3 --by WHO --reason WHY" in told
    assert not await planned(reminders, [after])
    await until(lambda: _committed(reminders, 1 + len(others)), "what was taken is committed, and no more")
    assert worker.kill(signal.SIGTERM) == 0


async def test_a_person_lets_a_partition_go_on_without_it_while_the_worker_runs_and_it_is_on_record(
    reminders: RunningReminders,
) -> None:
    before, after = visits(2, 0)
    await reminders.publish(before)
    await append(reminders, torn(), 0)
    worker = reminders.start("worker")
    await until(lambda: _says(reminders, worker, "appointments[0] stands at 1"), "it says what stands still")
    skip = ("dead-letters", "skip", "appointments", "0", "--by", "ann", "--reason", "sent again", "--to")

    assert await reminders.command(*skip, "3", "--dry-run") == (
        0, f"{_group(reminders)} would go on in {_source(reminders)}[0] from 3; it stood at 1\n"
    )  # fmt: skip
    for to, code in (("0", "BACKWARDS"), ("1", "BACKWARDS"), ("4", "BEYOND_THE_TOPIC"), ("-1", "BEYOND_THE_TOPIC")):
        refused, told = await reminders.command(*skip, to)
        assert (refused, code in told) == (1, True), told
    assert await reminders.skips() == []
    done, told = await reminders.command(*skip, "3")

    assert (done, told) == (0, f"{_group(reminders)} goes on in {_source(reminders)}[0] from 3; it stood at 1\n")
    assert await reminders.skips() == [(_group(reminders), _source(reminders), 0, 1, 3, "ann", "sent again")]
    await until(lambda: _committed(reminders, 3), "the owner takes it up, though nothing follows")
    await reminders.ready(worker)
    await reminders.publish(after)
    await until(lambda: planned(reminders, [before, after]), "what follows is taken")
    assert worker.kill(signal.SIGTERM) == 0
    again = reminders.start("worker")
    await reminders.ready(again)
    await reminders.idle(again)
    assert await reminders.committed() == 4
    assert len(await reminders.planned()) == 2


async def test_what_was_ordered_before_a_worker_runs_is_taken_up_by_it_and_covers_nothing_later(
    reminders: RunningReminders,
) -> None:
    first, second, third = visits(3, 0)
    await reminders.publish(first)
    await append(reminders, torn(), 0)
    await reminders.publish(second)
    done, told = await reminders.command(
        "dead-letters", "skip", "appointments", "0", "--to", "3", "--by", "ann", "--reason", "sent again"
    )
    assert done == 0, told
    await append(reminders, torn(), 0)
    await reminders.publish(third)

    worker = reminders.start("worker")

    await until(lambda: _says(reminders, worker, "appointments[0] stands at 4"), "it stands at the next one")
    await until(lambda: planned(reminders, [first, second]), "it passed the first")
    assert not await planned(reminders, [third])


def _source(reminders: RunningReminders) -> str:
    return reminders.installation.topic_prefix + APPOINTMENTS.name


def _group(reminders: RunningReminders) -> str:
    return f"{reminders.installation.topic_prefix}reminders-worker"


async def _committed(reminders: RunningReminders, number: int) -> bool:
    return await reminders.committed() == number


async def _says(reminders: RunningReminders, worker: Process, what: str) -> bool:
    assert worker.lives, worker.log[-2000:]
    try:
        return what in (await reasons(reminders, worker))
    except httpx2.TransportError:
        return False


async def _handed_over(reminders: RunningReminders, number: int) -> bool:
    return len({due.appointment_id for due in await reminders.due()}) == number


async def test_too_many_records_of_our_own_that_cannot_be_taken_stop_the_taking_and_not_the_timers(
    reminders: RunningReminders,
) -> None:
    good, late = visits(2, 0)
    await reminders.publish(good)
    worker = reminders.start("worker")
    await reminders.ready(worker)
    await reminders.idle(worker)
    newer = [
        (key, value, (*headers[:2], ("ce_type", b"appointment.changed.v9"))) for key, value, headers in [record(good)]
    ]
    await append(reminders, batch(*newer * 500), 0)
    await append(reminders, batch(record(late)), 0)

    await until(lambda: _says(reminders, worker, "breaker open"), "it says that it takes no more")

    letters = await dead(reminders)
    assert PER_MINUTE <= len(letters) <= PER_MINUTE + SLICE
    assert {letter.code for letter in letters} == {"UNKNOWN_VERSION"}
    reminders.step(VISIT - timedelta(hours=24))
    await until(lambda: _handed_over(reminders, 1), "timers go on")
    assert not await planned(reminders, [late])
    assert worker.kill(signal.SIGTERM) == 0
    assert await reminders.committed() == 1 + len(letters)

    again = reminders.start("worker")
    await until(lambda: _grew(reminders, len(letters)), "a restart goes on where it stood")
    assert again.lives
    offsets = [letter.offset for letter in await dead(reminders)]
    assert offsets == list(range(1, 1 + len(offsets))), "each once, and none left out"


async def _grew(reminders: RunningReminders, before: int) -> bool:
    return len(await dead(reminders)) > before


async def test_an_error_of_the_group_without_partitions_is_not_waited_for_in_silence(
    reminders: RunningReminders,
) -> None:
    """A member that shares partitions out another way keeps the worker from joining, which nothing ever told it."""
    prefix = reminders.installation.topic_prefix
    stranger = AIOKafkaConsumer(
        prefix + APPOINTMENTS.name,
        bootstrap_servers=reminders.installation.bootstrap,
        group_id=f"{prefix}reminders-worker",
    )
    await stranger.start()
    try:
        worker = reminders.start("worker")
        code = await asyncio.to_thread(worker.ended, 60)
    finally:
        await stranger.stop()

    assert code == 1
    assert "InconsistentGroupProtocol" in worker.log
    reminders.step(VISIT)
    again = reminders.start("worker")
    await reminders.ready(again)
    assert names(await reminders.due()) == []
