"""All identifiers that a message carries are names of its appointment, on a real database (D40, D53)."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from booking.appointments.domain.batch import EventAnswer
from booking.appointments.domain.command import BookAppointment
from booking.appointments.handle import accept
from booking.appointments.store import PostgresStore
from booking.door import client_keys
from booking.door.domain import Client
from booking.patients.handle import Rules
from chassis.postgres.database import Connection, Pool
from tests.support.booking.builders import LOCAL, NOW, command
from tests.support.booking.door import OPERATOR_KEY, Door
from tests.support.waiting import until

pytestmark = pytest.mark.integration

SENDER = "the key of the sender of FHIR, long enough"

P, F, G = ({"system": f"urn:{name}", "value": "77"} for name in ("placer", "filler", "third"))


@pytest.fixture(autouse=True)
async def sender(door: Door) -> None:
    """Make the client of a source that speaks FHIR."""
    await client_keys.create(door.pool, Client("fhir", ("local",), default_clinic="EYE"), SENDER)


async def post(door: Door, key: str, *identifiers: dict[str, str], id: str | None = None, **fields: Any) -> Any:
    """Send an Appointment of these names and return the answer."""
    actors = [{"actor": {"reference": f"Patient/{fields.pop('patient', 'ann')}"}, "status": "accepted"}]
    named = {**({"identifier": list(identifiers)} if identifiers else {}), **({"id": id} if id else {})}
    times = {"start": "2027-03-12T10:00:00Z", "end": "2027-03-12T10:30:00Z"}
    body = {"resourceType": "Appointment", "status": "booked", **times, **named, "participant": actors, **fields}
    return await door.ask("POST", "/fhir/R4/Appointment", body, key=SENDER, idempotency_key=key)


def visits(*answers: Any) -> int:
    assert [answer.status_code for answer in answers if answer.status_code not in {200, 201}] == []
    return len({answer.headers["attend-appointment"] for answer in answers})


async def test_d40_in_whatever_order_the_names_come_they_are_one_appointment(door: Door) -> None:
    answers = [await post(door, "1", P, F), await post(door, "2", F, P), await post(door, "3", F)]
    assert visits(*answers) == 1
    shown = [
        (await door.ask("GET", f"/v1/appointments?source=local&id={name}|77")).json()
        for name in ("urn:placer", "urn:filler")
    ]
    assert shown[0] == shown[1]
    assert shown[0]["source_id"] == "urn:placer|77"


async def test_d40_an_id_then_an_identifier_beside_it_then_the_identifier_alone(door: Door) -> None:
    assert visits(await post(door, "1", id="7"), await post(door, "2", P, id="7"), await post(door, "3", P)) == 1
    assert (await door.ask("GET", "/v1/appointments?source=local&id=7")).json()["source_id"] == "7"


async def test_names_of_two_appointments_are_refused_and_nothing_changes(door: Door) -> None:
    assert visits(await post(door, "1", P), await post(door, "2", F)) == 2
    before = await door.counts()
    answer = await post(door, "3", G, P, F, status="cancelled")
    issue = answer.json()["issue"][0]
    assert (answer.status_code, issue["code"], issue["expression"]) == (409, "conflict", ["appointment.id"])
    assert issue["details"]["coding"][0]["code"] == "IDENTITY_CONFLICT"
    assert await door.counts() == before
    assert await door.pool.fetchval("SELECT count(*) FROM appointment_alias") == 2
    kept = (await door.ask("GET", "/v1/inbound?code=IDENTITY_CONFLICT", key=OPERATOR_KEY)).json()["items"]
    assert [(one["client"], one["event_id"], one["place"]) for one in kept] == [("fhir", "3", "appointment.id")]
    assert (await door.ask("GET", "/v1/inbound/3", key=SENDER)).json()["result"] == "refused"
    assert (await door.ask("GET", "/v1/inbound")).json()["items"] == []
    metrics = (await door.look("/metrics")).text
    assert 'booking_identity_conflicts_total{source="local"} 1.0' in metrics
    assert visits(await post(door, "4", G, F)) == 1


async def test_a_number_that_several_share_does_not_make_one_of_them(door: Door) -> None:
    other = {"system": "urn:placer", "value": "78"}
    first = await post(door, "1", P, G)
    second = await post(door, "2", other, G)
    again = await post(door, "3", other, G, status="cancelled")
    assert visits(first, second, again) == 2
    assert visits(second, again) == 1
    warned = [resource["issue"][0]["details"]["coding"][0]["code"] for resource in again.json()["contained"]]
    assert warned == ["IDENTITY_CONFLICT"]


async def test_the_release_before_knows_first_names_only(door: Door) -> None:
    """What it has booked by one name is found by it, and gets the others."""
    first = await post(door, "1", P)
    await door.pool.execute("INSERT INTO appointment_alias (source, source_id, appointment_id) VALUES ($1, $2, $3)",
                            "local", "old", "00000000-0000-7000-8000-000000000001")  # fmt: skip
    assert not await door.pool.fetchval("SELECT bool_or(is_further) FROM appointment_alias")
    assert visits(first, await post(door, "2", F, P), await post(door, "3", F)) == 1
    old = await post(door, "4", id="old")
    assert old.headers["attend-appointment"] == "00000000-0000-7000-8000-000000000001"


async def take(connection: Connection, *commands: BookAppointment) -> list[EventAnswer]:
    return await accept(PostgresStore(connection), commands, {"local": LOCAL}, NOW, Rules())


@pytest.mark.parametrize(
    ("first", "second", "owners"),
    [
        ([("p", "f")], [("f", "p")], 1),
        ([("p", "f")], [("f",)], 1),
        ([("p", "f")], [("g", "f")], 1),
        ([("p",), ("p", "f")], [("f",), ("f", "p")], 1),
        ([("b", "a"), ("d", "c")], [("c", "d"), ("a", "b")], 2),
    ],
)
async def test_two_batches_at_once_that_bring_the_same_name_make_one_appointment(
    door: Door, first: Sequence[tuple[str, ...]], second: Sequence[tuple[str, ...]], owners: int
) -> None:
    async with door.pool.acquire() as one, door.pool.acquire() as other:
        early, late = one.transaction(), other.transaction()
        await early.start()
        await late.start()
        answers = await take(one, *events("a", first))
        waiting = asyncio.create_task(take(other, *events("b", second)))
        await until(lambda: _waits(door.pool))
        await early.commit()
        answers += await waiting
        await late.commit()
    assert [answer.refusal for answer in answers] == [None] * len(answers)
    assert len({answer.recorded.appointment_id for answer in answers if answer.recorded}) == owners
    rows = await door.pool.fetchval("SELECT count(DISTINCT appointment_id) FROM appointment_alias")
    assert (rows, await door.pool.fetchval("SELECT count(*) FROM appointment")) == (owners, owners)


async def test_many_batches_at_once_of_names_in_any_order_neither_deadlock_nor_part(door: Door) -> None:
    names = [f"urn:s{n}|1" for n in range(6)]
    bodies = [
        [{"system": name.rpartition("|")[0], "value": "1"} for name in (*names[turn:], *names[:turn])]
        for turn in range(6)
    ]
    answers = await asyncio.gather(*(post(door, f"{n}", *bodies[n % 6]) for n in range(24)))
    assert visits(*answers) == 1
    assert await door.pool.fetchval("SELECT count(*) FROM appointment") == 1


def events(key: str, messages: Sequence[tuple[str, ...]]) -> list[BookAppointment]:
    return [command(f"{key}{n}", appointment=m[0], other_names=m[1:]) for n, m in enumerate(messages)]


async def _waits(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))
