"""A database that was put back to an earlier moment, while Kafka was not, never opens the door (G2)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from aiokafka import AIOKafkaProducer

from chassis.process.errors import Misconfigured
from schemas.topics import APPOINTMENTS, PATIENTS, Topic
from tests.support import databases
from tests.support.backends import PostgresServer
from tests.support.booking.door import Door, booking, opened, opened_on_kafka, published, running
from tests.support.installation import Installation
from tests.support.waiting import until

pytestmark = pytest.mark.integration


@asynccontextmanager
async def copied(postgres: PostgresServer, installation: Installation) -> AsyncIterator[Installation]:
    """Give the installation with a copy of its database as it is now: what a dump holds."""
    name = urlsplit(installation.admin_url).path.removeprefix("/")
    async with databases.fresh(postgres, name) as admin_url:
        yield Installation(installation.bootstrap, admin_url, installation.topic_prefix)


async def published_all(door: Door) -> None:
    """Wait until the outbox is empty."""

    async def empty() -> bool:
        return not await door.pool.fetchval("SELECT EXISTS (SELECT FROM outbox)")

    async with running(door):
        await until(empty)


async def do(installation: Installation, *events: dict[str, object], patients: tuple[str, ...] = ()) -> None:
    """Take events and patients and publish them."""
    async with opened_on_kafka(installation) as door:
        for event in events:
            await door.post(event)
        for patient in patients:
            await door.put(f"/v1/patients/{patient}", {"given_name": "Ann"})
        await published_all(door)


async def written(installation: Installation, topic: Topic, key: str, value: bytes | None) -> None:
    """Write one record as it is."""
    async with AIOKafkaProducer(bootstrap_servers=installation.bootstrap) as producer:
        await producer.send_and_wait(installation.topic_prefix + topic.name, value, key.encode())


async def refusal(installation: Installation) -> str:
    """Start on a database that is behind, and return why it did not."""
    with pytest.raises(Misconfigured) as refused:
        async with opened_on_kafka(installation):
            raise AssertionError("the door opened")
    return refused.value.message


async def test_a_cancellation_after_the_dump_keeps_the_door_shut(
    postgres: PostgresServer, installation: Installation
) -> None:
    await do(installation, booking("e1"), booking("e2", "v2", patient={"id": "bob"}))
    async with copied(postgres, installation) as restored:
        await do(installation, booking("e3", status="cancelled"))

        told = await refusal(restored)

        [[key, _]] = [one for one in await published(installation, APPOINTMENTS) if one[1]["version"] == 2]
        assert f"version 2 of {key}" in told
        assert f"{installation.topic_prefix}appointments[" in told
        assert "Restore a later state" in told
    await do(installation, booking("e4", status="cancelled"))  # the database itself is not behind


async def test_a_main_file_number_issued_after_the_dump_is_not_issued_again(
    postgres: PostgresServer, installation: Installation
) -> None:
    await do(installation, patients=("ann",))
    async with copied(postgres, installation) as restored:
        await do(installation, patients=("bob",))

        told = await refusal(restored)

    issued = {body["main_file"]: key for key, body in await published(installation, PATIENTS)}
    assert len(issued) == 2
    assert issued[max(issued)] in told
    assert max(issued) not in told


async def test_a_clinic_a_provider_and_a_patient_that_changed_after_it_count_too(
    postgres: PostgresServer, installation: Installation
) -> None:
    ways = {
        "clinics": ("/v1/clinics/EYE", {"name": "Eyes", "zone": "Europe/London", "country": "GB"}),
        "providers": ("/v1/providers/dr-who", {"name": "Dr Whom"}),
        "patients": ("/v1/patients/ann", {"given_name": "Anna"}),
    }
    async with opened_on_kafka(installation) as door:
        await door.put("/v1/providers/dr-who", {"name": "Dr Who"})
        await door.put("/v1/patients/ann", {"given_name": "Ann"})
        await published_all(door)
    for topic, (path, body) in ways.items():
        async with copied(postgres, installation) as restored:
            async with opened_on_kafka(installation) as door:
                await door.put(path, body)
                await published_all(door)

            assert f"{topic}[0]" in await refusal(restored)


async def test_a_dump_with_what_waits_for_kafka_is_not_behind(
    postgres: PostgresServer, installation: Installation
) -> None:
    """Its own copy of the outbox is published a second time, and an old version last: neither is news."""
    await do(installation, booking("e1"))
    async with opened(installation) as door:
        await door.post(booking("e2", status="cancelled"))
        [(key, value)] = await door.pool.fetch("SELECT key, value FROM outbox WHERE topic = 'appointments'")
    async with copied(postgres, installation) as dump:
        await do(installation)
        await written(installation, APPOINTMENTS, key.decode(), value)

        async with opened_on_kafka(dump) as door:
            await published_all(door)

    versions = [body["version"] for _, body in await published(installation, APPOINTMENTS)]
    assert sorted(versions) == [1, 2, 2, 2]


async def test_what_is_none_of_our_versions_and_an_empty_topic_are_no_reason(installation: Installation) -> None:
    await do(installation)
    odd = (None, b"", b"{", b"[1]", b'{"appointment_id":7,"version":9}', b'{"version":9}', b'{"appointment_id":"x"}')
    for value in odd:
        await written(installation, APPOINTMENTS, "some", value)

    await do(installation, booking("e1"))


async def test_a_service_whose_database_is_put_back_while_it_runs_ends(installation: Installation) -> None:
    async with opened_on_kafka(installation) as door:
        await door.post(booking("e1"))
        await published_all(door)
        await door.service.ends.compare()
        await door.pool.execute("UPDATE appointment SET version = 0")  # as a dump from before it was booked has it

        with pytest.raises(Misconfigured, match="holds version 1 of"):
            await door.service.ends.run(asyncio.Event(), every_s=0)
