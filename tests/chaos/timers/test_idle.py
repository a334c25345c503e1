"""Partitions in which nothing happens for longer than the broker keeps a transactional id."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from aiokafka.errors import KafkaError

from reminders.timers.partition import SENTINEL
from reminders.timers.producer import FencedProducer
from schemas.topics import TIMERS_CHANGELOG
from stack.kafka import Kafka
from tests.chaos.timers.workers import TimerWorkers, ended
from tests.support.reminders.builders import appointment

FORGETS = "transactional.id.expiration.ms=3000\ntransaction.remove.expired.transaction.cleanup.interval.ms=500\n"
CONTROLS = 30


class Forgetful(Kafka):
    """A broker that forgets transactional ids after seconds instead of days."""

    def _write_configuration(self) -> None:
        super()._write_configuration()
        with (self.folder / "server.properties").open("a", encoding="utf-8") as file:
            file.write(FORGETS)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """Run that broker instead of the usual one."""
    kafka = Forgetful(tmp_path_factory.mktemp("kafka"))
    kafka.start()
    try:
        yield kafka
    finally:
        kafka.stop()


async def forgotten(timers: TimerWorkers) -> str:
    """Wait until the broker has forgotten an id of ours that was as idle as the worker's; return the error's name.

    Each of the controls writes once, and is asked once: asking keeps an id.
    """
    name = timers.name(TIMERS_CHANGELOG)
    controls = [FencedProducer(timers.broker.bootstrap, f"{name}-control-{n}", 0) for n in range(CONTROLS)]
    for control in controls:
        await control.start()
        await control.write({name: [(SENTINEL, b"control", ())]})
    try:
        for control in controls:
            await asyncio.sleep(1)  # what is waited for cannot be asked for: an id that is asked is kept
            await control.write({name: [(SENTINEL, b"control", ())]})
    except KafkaError as error:
        return type(error.__cause__ or error).__name__
    finally:
        for control in controls:
            await control.stop()
    raise AssertionError(f"the broker forgot no transactional id within {CONTROLS} s")


@pytest.mark.chaos
@pytest.mark.timeout(300)
@pytest.mark.parametrize("every_s", [1, 86_400])
async def test_an_idle_worker_keeps_its_ids_and_one_that_lost_them_ends_and_starts_again(
    timers: TimerWorkers, say: Callable[[str], None], every_s: int
) -> None:
    worker = timers.worker("one", REMINDERS_KEEP_IDS_EVERY_S=str(every_s))
    await timers.settled(worker)
    error = await forgotten(timers)

    await timers.publish(*(appointment(f"visit {n}") for n in range(24)))

    if every_s == 1:
        await timers.settled(worker)
        ends = 0
    else:
        assert await ended(worker) == 1
        timers.worker("one")
        ends = 1 + await timers.until_settled("one")
    planned = len(await timers.planned())
    say(f"idle until the broker forgot ids ({error}), used every {every_s} s: {planned} of 24 planned, {ends} restarts")
    assert (error, planned, ends) == ("InvalidProducerIdMapping", 24, 0 if every_s == 1 else 1)
