"""Faust's producer, made idempotent, with a way to send many records and wait for all of them.

Read against faust-streaming 0.15.3: its producer is idempotent only under `exactly_once` (fact 16),
and its own send path gives up waiting after 0.1 s (fact 1). Records sent here are acknowledged by
all replicas in sync when `send_all` returns.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from faust.transport.drivers.aiokafka import Producer

from reminders.timers.ports import Headers

ACK_TIMEOUT_S = 30.0
"""A frozen broker gives no error. Past this the process ends and starts again from what is committed."""

type Item = tuple[bytes | None, bytes | None, Headers]
"""Key, value (None is a tombstone), headers."""


class AwaitedProducer(Producer):
    """acks=all, idempotent."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}

    async def send_all(self, topic: str, partition: int, items: Iterable[Item]) -> None:
        """Send records to one partition in order, and return when the broker has acknowledged all.

        Raises:
            KafkaError, TimeoutError: Some may not be there. Nothing may be concluded from it but that
                the same has to be sent again.
        """
        async with asyncio.timeout(ACK_TIMEOUT_S):
            acknowledgements = []
            batch = self._ensure_producer().create_batch()
            for key, value, headers in items:
                if batch.append(timestamp=None, key=key, value=value, headers=list(headers)) is None:
                    acknowledgements.append(await self._send(batch, topic, partition))
                    batch = self._ensure_producer().create_batch()
                    if batch.append(timestamp=None, key=key, value=value, headers=list(headers)) is None:
                        raise ValueError(f"a record of {len(value or b'')} bytes does not fit into a batch")
            if batch.record_count():
                acknowledgements.append(await self._send(batch, topic, partition))
            for acknowledgement in acknowledgements:
                await acknowledgement

    async def _send(self, batch: Any, topic: str, partition: int) -> Any:
        return await self._ensure_producer().send_batch(batch, topic, partition=partition)
