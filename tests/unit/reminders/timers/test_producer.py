"""What a partition's producer packs, it packs in slices: others have their turn."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer

from reminders.timers.producer import BATCH_BYTES, FencedProducer


class Unsent:
    """A producer that builds batches, and keeps how many records each had and in whose turn it came."""

    def __init__(self, real: AIOKafkaProducer) -> None:
        self.create_batch = real.create_batch
        self.turn = 0
        self.sent: list[tuple[int, int]] = []

    async def send_batch(self, batch: Any, _topic: str, *, partition: int) -> asyncio.Future[None]:
        self.sent.append((batch.record_count(), self.turn))
        return asyncio.get_running_loop().create_future()


async def test_batches_of_one_write_are_packed_in_turns_and_hold_every_record() -> None:
    real = AIOKafkaProducer(bootstrap_servers="nowhere:1", max_batch_size=BATCH_BYTES)
    unsent = Unsent(real)
    items = [(number.to_bytes(16), bytes(700), (("ce_type", b"due"),)) for number in range(5000)]
    packing = asyncio.ensure_future(FencedProducer("nowhere:1", "id", 3)._send(unsent, "topic", items))
    while not packing.done():
        unsent.turn += 1
        await asyncio.sleep(0)
    await real.stop()

    assert sum(count for count, _ in unsent.sent) == 5000
    assert len(unsent.sent) > 10
    assert len({turn for _, turn in unsent.sent}) == len(unsent.sent)
