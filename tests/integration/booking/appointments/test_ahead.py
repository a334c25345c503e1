"""The appointments ahead, as the keeper of timers reads them: pages, states, whole snapshots."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from booking.door.domain import Client
from chassis.kafka.partitioner import partition_of
from chassis.process.clock import RealClock
from schemas.appointments import Appointment, Status
from schemas.topics import APPOINTMENTS
from tests.support.booking.door import OPERATOR_KEY, Door, booking

pytestmark = pytest.mark.integration

JSON = {"content_type": "application/json"}


async def pages(door: Door, limit: int, share: str = "") -> list[list[dict[str, Any]]]:
    """Return the items of every page, of a share of the appointments or of all."""
    found, after = [], str(UUID(int=0))
    while after is not None:
        answer = await door.ask("GET", f"/v1/ahead?limit={limit}&after={after}{share}", key=OPERATOR_KEY)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found.append(page["items"])
        after = page["next_after"]
    return found


async def test_appointments_ahead_page_by_page_with_version_schedule_and_since_when(door: Door) -> None:
    begun = RealClock().now()
    held = await door.post([booking(f"e{n}", f"v{n}") for n in range(5)])
    await door.post([booking(f"past {n}", f"p{n}", start="2020-01-01T10:00:00Z", end=None) for n in range(3)])
    await door.post({**booking("e9", "v0", start="2027-09-02T10:00:00Z", end=None), "sequence": 9})

    found = await pages(door, 3)

    items = [item for page in found for item in page]
    ids = [result["appointment_id"] for result in held["results"]]
    assert sorted(item["appointment_id"] for item in items) == sorted(ids)
    assert len(found) == 3, "8 appointments looked at, 3 a page"
    assert {i["appointment_id"]: (i["version"], i["schedule_gen"]) for i in items} == {
        **dict.fromkeys(ids, (1, 1)),
        ids[0]: (2, 2),
    }
    since = [datetime.fromisoformat(item["since"]) for item in items]
    assert all(begun - timedelta(seconds=5) < at <= RealClock().now() for at in since)


async def test_each_partition_has_its_own_and_all_have_all_of_them(door: Door) -> None:
    held = await door.post([booking(f"e{n}", f"v{n}") for n in range(60)])
    count = APPOINTMENTS.partitions

    found = {n: [i for page in await pages(door, 2, f"&partition={n}&of={count}") for i in page] for n in range(count)}
    ids = {number: [item["appointment_id"] for item in items] for number, items in found.items()}

    assert sorted(one for own in ids.values() for one in own) == sorted(r["appointment_id"] for r in held["results"])
    assert all(partition_of(one.encode(), count) == number for number, own in ids.items() for one in own)
    assert all(own == sorted(own) for own in ids.values())


async def test_the_database_finds_a_partition_as_kafka_does(door: Door) -> None:
    ids = [uuid4() for _ in range(5_000)] + [UUID(int=0), UUID(int=2**128 - 1)]

    found = await door.pool.fetchval("SELECT array_agg(topic_partition(id)) FROM unnest($1::uuid[]) AS id", ids)

    assert found == [partition_of(str(one).encode(), APPOINTMENTS.partitions) for one in ids]


@pytest.mark.parametrize("share", ["partition=12", "partition=-1", "partition=x", "partition=3&of=24", "of=0"])
async def test_a_partition_that_is_not_there_is_refused(door: Door, share: str) -> None:
    assert (await door.ask("GET", f"/v1/ahead?{share}", key=OPERATOR_KEY)).status_code == 422


async def test_states_and_snapshots_of_those_named_whole_and_of_now(door: Door) -> None:
    ids = [r["appointment_id"] for r in (await door.post([booking(f"e{n}", f"v{n}") for n in range(2)]))["results"]]
    cancelled = {"event_id": "c", "sequence": 9, "appointment": {"id": "v0", "status": "cancelled"}}
    await door.post(cancelled)
    asked = {"ids": [*ids, ids[0], str(uuid4())]}

    states = (await door.ask("POST", "/v1/ahead/states", asked, key=OPERATOR_KEY, **JSON)).json()["items"]
    whole = (await door.ask("POST", "/v1/ahead/snapshots", asked, key=OPERATOR_KEY, **JSON)).json()["items"]

    assert [(s["appointment_id"], s["version"], s["status"]) for s in states] == [
        (ids[0], 2, "cancelled"),
        (ids[1], 1, "booked"),
    ]
    snapshots = [Appointment.model_validate(item) for item in whole]
    assert [(str(s.appointment_id), s.version, s.status) for s in snapshots] == [
        (ids[0], 2, Status.CANCELLED),
        (ids[1], 1, Status.BOOKED),
    ]
    current = (await door.ask("GET", f"/v1/appointments/{ids[0]}", key=OPERATOR_KEY)).json()["current"]
    assert whole[0] == current


async def test_they_say_what_the_newest_version_bars_messages_for(door: Door) -> None:
    """A version that the release before wrote does not say; then nothing is said of it."""
    flags = {"dead": {"deceased": True}, "silent": {"do_not_contact": True}, "unsaid": {"consent": False}, "well": {}}
    for patient, given in flags.items():
        await door.put(f"/v1/patients/{patient}", given)
    visits = [booking(f"e {patient}", patient, patient={"id": patient}) for patient in flags]
    ids = [result["appointment_id"] for result in (await door.post(visits))["results"]]
    await door.pool.execute(
        "INSERT INTO appointment_history (appointment_id, version, snapshot)"
        " SELECT appointment_id, 2, snapshot FROM appointment_history WHERE appointment_id = $1",
        UUID(ids[2]),
    )
    await door.pool.execute("UPDATE appointment SET version = 2 WHERE appointment_id = $1", UUID(ids[2]))
    bars = dict(zip(ids, ("DECEASED", "DO_NOT_CONTACT", None, None), strict=True))

    states = (await door.ask("POST", "/v1/ahead/states", {"ids": ids}, key=OPERATOR_KEY, **JSON)).json()["items"]

    assert {state["appointment_id"]: state["barred"] for state in states} == bars
    assert {item["appointment_id"]: item["barred"] for page in await pages(door, 3) for item in page} == bars


async def test_only_a_key_that_sees_everything_opens_them(door: Door) -> None:
    narrow = await door.client(Client("one clinic", ("other",), ("EYE",)))

    for method, path, body in (
        ("GET", "/v1/ahead", None),
        ("POST", "/v1/ahead/states", {"ids": [str(uuid4())]}),
        ("POST", "/v1/ahead/snapshots", {"ids": [str(uuid4())]}),
    ):
        assert (await door.ask(method, path, body, key=narrow)).status_code == 403
        assert (await door.ask(method, path, body, key=None)).status_code == 401
        assert (await door.ask(method, path, body, key=OPERATOR_KEY, **JSON)).status_code == 200
    too_many = {"ids": [str(uuid4()) for _ in range(1001)]}
    assert (await door.ask("POST", "/v1/ahead/states", too_many, key=OPERATOR_KEY, **JSON)).status_code == 422
