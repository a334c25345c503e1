"""The one writer of a partition, on a real broker: what it does when another has taken its place."""

import asyncio
import gc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka.errors import ProducerFenced

from chassis.postgres.clock_check import ClockCheck
from chassis.process.clock import Clock, RealClock
from reminders.timers.ports import Message
from reminders.timers.producer import BATCH_BYTES, FencedProducer
from schemas.topics import REMINDERS, TIMERS_CHANGELOG
from tests.support.installation import Installation

pytestmark = pytest.mark.integration


async def test_a_refused_writer_says_so_once_and_leaves_no_failure_that_nobody_saw(installation: Installation) -> None:
    unseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
    topics = [installation.topic_prefix + topic.name for topic in (REMINDERS, TIMERS_CHANGELOG)]
    several_batches: list[Message] = [(b"key", bytes(1000), ())] * (3 * BATCH_BYTES // 1000)
    frozen, owner = (FencedProducer(installation.bootstrap, f"{installation.topic_prefix}0", 0) for _ in range(2))
    await frozen.start()
    await frozen.write(dict.fromkeys(topics, several_batches))
    await owner.start()

    with pytest.raises(ProducerFenced):
        await frozen.write(dict.fromkeys(topics, several_batches))

    await frozen.stop()
    await owner.write(dict.fromkeys(topics, several_batches))
    await owner.stop()
    del frozen
    gc.collect()  # where asyncio reports what nobody looked at
    await asyncio.sleep(0)
    assert unseen == []


class OffClock(RealClock):
    """A machine's clock that is four hours and forty minutes ahead."""

    def unstepped(self) -> datetime:
        return datetime.now(UTC) + timedelta(hours=4, minutes=40)


@pytest.mark.parametrize(("clock", "agrees"), [(RealClock(), True), (OffClock(), False)])
async def test_each_write_to_the_changelog_reads_the_brokers_clock(
    installation: Installation, clock: Clock, agrees: bool
) -> None:
    check = ClockCheck(clock, "the broker's")
    writer = FencedProducer(installation.bootstrap, f"{installation.topic_prefix}clock", 0, check)
    await writer.start()

    await writer.write({installation.topic_prefix + REMINDERS.name: [(b"key", b"an event", ())]})
    assert check.reason() == "this clock and the broker's were not compared yet", "events are stamped by their writer"
    await writer.write({installation.topic_prefix + TIMERS_CHANGELOG.name: [(b"owner", b"sentinel", ())]})
    await writer.stop()

    reason = check.reason()
    assert reason is None if agrees else "differ by 16" in str(reason)
