"""What is compacted is written under a transactional id: a relay that stood still cannot write an old version last."""

from aiokafka import AIOKafkaConsumer, TopicPartition

from booking.wiring import REFERENCE
from tests.support.booking.door import Door
from tests.support.installation import Installation


async def test_each_event_of_a_compacted_topic_is_a_transaction(served: Door, installation: Installation) -> None:
    """Which the broker ends with a marker, at an offset of its own."""
    assert {topic.cleanup for topic in REFERENCE} == {"compact"}
    before = await _ends(installation)
    await served.put(
        "/v1/clinics/HIV", {"name": "Clinic", "zone": "Europe/London", "languages": ["en"], "country": "GB"}
    )
    await served.put("/v1/providers/dr-no?source=local", {"name": "Dr No"})
    await served.put("/v1/patients/bob?source=local", {"given_name": "Bob"})

    relay = served.service.relays[1]
    written = await served.pool.fetch("SELECT topic, count(*) AS events FROM outbox GROUP BY topic")
    assert await relay.round() == sum(row["events"] for row in written)
    await relay._publisher.close()

    after = await _ends(installation)
    assert {name: after[name] - before[name] for name in after} == {row["topic"]: row["events"] + 1 for row in written}


async def _ends(installation: Installation) -> dict[str, int]:
    places = {topic.name: TopicPartition(installation.topic_prefix + topic.name, 0) for topic in REFERENCE}
    consumer = AIOKafkaConsumer(bootstrap_servers=installation.bootstrap)
    await consumer.start()
    try:
        ends = await consumer.end_offsets(list(places.values()))
        return {name: ends[place] for name, place in places.items()}
    finally:
        await consumer.stop()
