"""`bookings-inbound` on real Kafka: the same bodies, thousands at a time (G1, G2, G8)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from booking.door.domain import Client
from booking.wiring import subscriptions
from chassis.delivery.replay import replay
from chassis.kafka import topics as broker_topics
from chassis.process.clock import RealClock
from schemas.topics import APPOINTMENTS, BOOKINGS_INBOUND, PATIENTS, inbound
from tests.support.booking.door import Door, booking, opened_on_kafka, published, running, send_inbound, settings_on
from tests.support.installation import Installation
from tests.support.waiting import until


@asynccontextmanager
async def producing(installation: Installation) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=installation.bootstrap)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


def record(body: dict[str, object], key: str = "v1") -> tuple[str, bytes]:
    return key, orjson.dumps(body)


async def test_events_from_kafka_become_versions_on_the_topic(served: Door, installation: Installation) -> None:
    await send_inbound(
        installation,
        record(booking("e1")),
        record({"event_id": "e2", "appointment": {"id": "v1", "status": "cancelled"}}),
        record(booking("e1")),
    )
    async with running(served):
        await until(lambda: _answered(served, 2))
        await until(served.service.relays[0].idle)
        await until(served.service.consumer.idle)
    events = await published(installation, APPOINTMENTS)
    assert [(body["version"], body["status"]) for _, body in events] == [(1, "booked"), (2, "cancelled")]
    assert {key for key, _ in events} == {events[0][1]["appointment_id"]}


async def test_two_thousand_events_in_batches_of_many(served: Door, installation: Installation) -> None:
    bodies = [
        booking(f"e{n}", f"v{n % 1000}", start=f"2027-03-{n % 27 + 1:02d}T10:00:00Z", end=None) for n in range(2000)
    ]
    await send_inbound(installation, *(record(body, f"v{n % 1000}") for n, body in enumerate(bodies)))
    async with running(served):
        await until(lambda: _answered(served, 2000))
        await until(served.service.relays[0].idle)
    events = await published(installation, APPOINTMENTS)
    latest: dict[str, int] = {}
    for key, body in events:
        assert body["version"] == latest.get(key, 0) + 1
        latest[key] = body["version"]
    assert len(latest) == 1000
    assert sum(latest.values()) == await served.pool.fetchval("SELECT sum(version) FROM appointment")


async def test_g8_what_is_refused_goes_to_the_dead_letters_and_the_others_go_on(
    served: Door, installation: Installation
) -> None:
    await send_inbound(
        installation,
        record(booking("e1", clinic="NOWHERE")),
        ("v1", b"{"),
        record(booking("e2", "v2"), "v3"),
        record({**booking("e3"), "source": "other"}),
        record(booking("e4")),
    )
    async with running(served):
        await until(lambda: _answered(served, 1))
        await until(served.service.consumer.idle)
    codes = await served.pool.fetch("SELECT code FROM dead_letter ORDER BY code")
    assert [row["code"] for row in codes] == [
        "FOREIGN_SOURCE",
        "KEY_MISMATCH",
        "TRUNCATED_JSON",
        "UNKNOWN_CLINIC",
    ]
    refused = (await served.ask("GET", "/v1/inbound/e1")).json()
    assert (refused["result"], refused["code"], refused["place"]) == ("refused", "UNKNOWN_CLINIC", "appointment.clinic")
    assert (await served.ask("GET", "/v1/inbound/e4")).json()["result"] == "applied"


async def test_numbers_beyond_64_bits_and_null_headers_are_dead_letters_and_the_others_go_on(
    served: Door, installation: Installation
) -> None:
    big = orjson.dumps(booking("e1"))[:-1] + b',"extra":' + b"9" * 25 + b"}"
    headers: list[tuple[str, Any]] = [("client", None), ("traceparent", None)]
    async with producing(installation) as producer:
        topic = installation.topic_prefix + BOOKINGS_INBOUND.name
        await producer.send_and_wait(topic, orjson.dumps(booking("e2")), b"v1", headers=headers)
        await producer.send_and_wait(topic, b"{", None, headers=[("client", b"local"), ("traceparent", None)])
    await send_inbound(installation, ("v1", big), record(booking("e3")))
    async with running(served):
        await until(lambda: _answered(served, 2))
        await until(served.service.consumer.idle)
    codes = await served.pool.fetch("SELECT code FROM dead_letter ORDER BY code")
    assert [row["code"] for row in codes] == ["NUMBER_TOO_LONG", "TRUNCATED_JSON"]


async def test_a_dead_letter_that_is_replayed_does_not_revive_a_visit_that_was_cancelled_since(
    served: Door, installation: Installation
) -> None:
    moved = {"id": "v1", "status": "booked", "clinic": "LATER", "start": "2027-04-01T10:00:00Z"}
    gone = {"status": "cancelled"}
    bodies: list[dict[str, object]] = [
        booking("e1"),
        {"event_id": "e2", "appointment": moved},
        {"event_id": "e3", "appointment": {"id": "v1", **gone}},
    ]
    waits: tuple[dict[str, object], ...] = (
        booking("f1", "v2", clinic="LATER"),
        {"event_id": "f2", "appointment": {"id": "v2", **gone}},
    )
    await send_inbound(installation, *(record(body) for body in bodies), *(record(body, "v2") for body in waits))
    async with running(served):
        await until(lambda: _answered(served, 3))
        await until(served.service.consumer.idle)
    await served.put("/v1/clinics/LATER", {"name": "Later", "zone": "Europe/London"})
    replays = subscriptions(served.service.settings, RealClock(), replayed=True)
    letters = await served.pool.fetch("SELECT id FROM dead_letter ORDER BY id")

    done = [await replay(served.pool, replays, installation.topic_prefix, row["id"]) for row in letters]

    assert done == ["stale", "stale"]
    states = await served.pool.fetch("SELECT version, status FROM appointment ORDER BY version")
    assert [tuple(row) for row in states] == [(0, "cancelled"), (2, "cancelled")]


async def test_g9_a_topic_is_its_clients_whatever_a_record_says(served: Door, installation: Installation) -> None:
    await served.client(Client("other", ("other",)))
    await send_inbound(installation, record({**booking("e1"), "source": "other"}), client="other")
    await send_inbound(installation, record(booking("e2")), client="other")
    async with running(served):
        await until(lambda: _answered(served, 1))
        await until(served.service.consumer.idle)
    assert await served.pool.fetchval("SELECT code FROM dead_letter") == "FOREIGN_SOURCE"
    assert await served.pool.fetchval("SELECT source FROM appointment") == "local"
    assert await served.pool.fetchval("SELECT client FROM ingress") == "local"


@pytest.mark.parametrize(
    ("bound", "code"), [({}, "NO_CLIENT"), ({BOOKINGS_INBOUND.name: "nobody we know"}, "UNKNOWN_CLIENT")]
)
async def test_g9_what_comes_by_a_topic_of_nobodys_is_kept_and_can_be_replayed_once_it_is_somebodys(
    installation: Installation, bound: dict[str, str], code: str
) -> None:
    async with opened_on_kafka(installation, inbound_clients=bound) as door:
        await send_inbound(installation, record(booking("e1")), client="local")
        async with running(door):
            await until(lambda: _dead(door, 1))
        assert await door.pool.fetchval("SELECT code FROM dead_letter") == code
        letter = await door.pool.fetchval("SELECT id FROM dead_letter")
        told = subscriptions(settings_on(installation), RealClock(), replayed=True)
        assert await replay(door.pool, told, installation.topic_prefix, letter) == "applied"


async def test_each_client_has_a_topic_and_names_one_of_its_sources(installation: Installation) -> None:
    further = inbound("bookings-inbound-both")
    await broker_topics.apply(installation.bootstrap, [further], installation.topic_prefix)
    bound = {BOOKINGS_INBOUND.name: "local", further.name: "both"}
    async with opened_on_kafka(installation, inbound_clients=bound) as door:
        await door.client(Client("both", ("a", "b")))
        await send_inbound(installation, record({**booking("e1"), "source": "a"}), record(booking("e2")), topic=further)
        await send_inbound(installation, record(booking("e3")))
        async with running(door):
            await until(lambda: _answered(door, 2))
            await until(door.service.consumer.idle)
        assert await door.pool.fetchval("SELECT code FROM dead_letter") == "SOURCE_REQUIRED"
        found = await door.pool.fetch("SELECT client, a.source FROM ingress JOIN appointment a USING (appointment_id)")
        assert {tuple(row) for row in found} == {("both", "a"), ("local", "local")}


async def test_patients_reach_their_compacted_topic(served: Door, installation: Installation) -> None:
    answer = await served.put("/v1/patients/ann", {"given_name": "Ann"})
    async with running(served):
        await until(served.service.relays[1].idle)
    (key, body), *rest = await published(installation, PATIENTS)
    assert (key, body["main_file"], rest) == (answer["patient_id"], answer["main_file"], [])


async def _answered(served: Door, number: int) -> bool:
    return bool(await served.pool.fetchval("SELECT count(*) >= $1 FROM ingress", number))


async def _dead(door: Door, count: int) -> bool:
    return bool(await door.pool.fetchval("SELECT count(*) FROM dead_letter") >= count)
