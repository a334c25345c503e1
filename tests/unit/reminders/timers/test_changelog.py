"""Reading the changelog back: one partition that is slow to be read again holds up no other."""

import asyncio
from typing import Any

from aiokafka import TopicPartition

from reminders.timers.changelog import ChangelogReader
from reminders.timers.partition import Partition
from tests.unit.reminders.timers.test_source_reader import LOG, Client

WELL = TopicPartition(LOG.topic, 1)


async def test_rows_of_others_are_replayed_while_a_batch_is_read_again_once() -> None:
    client, parts = Client(LOG), {0: Partition(0), 1: Partition(0)}
    client.answers.clear()
    reader = ChangelogReader("nowhere:9092", LOG.topic)
    replacing: Any = reader
    await replacing._consumer.stop()
    replacing._consumer, replacing._places = client, {LOG: 7, WELL: 7}
    replacing._consumer.assignment = lambda: {LOG, WELL}

    async with asyncio.timeout(5):
        for read in (1, 2, 3):
            client.come(LOG, WELL)
            await reader._turn(parts, {})
            assert reader.read == read
    assert client.asked == [LOG]
    assert parts[0].halt is None

    client.answers.set()
    for _ in range(2):
        client.come(WELL)
        await reader._turn(parts, {})
    halt = parts[0].halt
    assert halt is not None
    assert halt.offset == 7
