"""Replaying the worker's dead letters: it has no database, so what it once refused goes to it as a record again."""

from collections.abc import Awaitable, Sequence

from aiokafka import ConsumerRecord

from chassis.delivery.consumer import Applied, Subscription
from chassis.kafka.producer import Publisher, Record
from chassis.postgres.database import Connection
from chassis.process.errors import Unavailable
from reminders.settings import Settings
from schemas.topics import APPOINTMENTS, REMINDERS_REPLAYS

ACKNOWLEDGED_WITHIN_S = 5
"""The letter's transaction is open meanwhile: below the role's idle_in_transaction_session_timeout (8 s)."""

type Received = ConsumerRecord[bytes, bytes]


def replays(settings: Settings) -> tuple[Subscription[Received], ...]:
    """Return what `dead-letters replay` does with the worker's letters, of its source and of an earlier replay.

    Each is published to `reminders-replays` as it was: same partition, key, value and headers. The transaction that
    settles the letter ends after Kafka's acknowledgement: what was not acknowledged stays open. A commit that is lost
    after it lets the letter be published twice, and the worker drops the second by its version.
    """

    def publish(connection: Connection, records: Sequence[Received]) -> Awaitable[Applied]:
        return _publish(settings, records)

    return tuple(
        Subscription(topic, _as_it_was, publish, done="published for the worker")
        for topic in (APPOINTMENTS, REMINDERS_REPLAYS)
    )


def _as_it_was(record: Received) -> Received:
    return record


async def _publish(settings: Settings, records: Sequence[Received]) -> Applied:
    """Publish the records, in order, and return when all are acknowledged."""
    publisher = Publisher(settings.kafka_bootstrap_servers, settings.topic_prefix)
    again = [Record(REMINDERS_REPLAYS.name, r.key, r.value, list(r.headers), r.partition) for r in records]
    try:
        acknowledged = await publisher.publish(again, ACKNOWLEDGED_WITHIN_S)
    finally:
        await publisher.close()
    if not all(acknowledged):
        raise Unavailable("KAFKA_UNAVAILABLE", f"not acknowledged within {ACKNOWLEDGED_WITHIN_S} s: it stays open")
    return Applied()
