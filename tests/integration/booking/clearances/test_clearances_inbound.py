"""`clearances-inbound` on real Kafka: each record has its fate, and a refused one is taken later (G8, G9)."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from booking.door.domain import Client
from schemas.topics import CLEARANCES_INBOUND
from tests.support.booking.door import OPERATOR_KEY, Door, booking, opened_on_kafka, running
from tests.support.installation import Installation
from tests.support.waiting import until

PAID: dict[str, Any] = {"kind": "financial", "state": "cleared", "amount_minor": 4500, "currency": "GBP"}


class Sent(NamedTuple):
    """What is written to the topic, all to one partition."""

    value: bytes | None
    key: bytes | None = b"v1"


def event(event_id: str, visit: str = "v1", **members: Any) -> bytes:
    return orjson.dumps({"event_id": event_id, "appointment": {"id": visit}, "clearance": {**PAID, **members}})


@pytest.fixture
async def there(installation: Installation) -> AsyncIterator[Door]:
    async with opened_on_kafka(installation) as door:
        yield door


async def sent(door: Door, installation: Installation, records: Sequence[Sent]) -> None:
    """Write the records, and return when all are read."""
    producer = AIOKafkaProducer(bootstrap_servers=installation.bootstrap)
    await producer.start()
    try:
        for one in records:
            topic = installation.topic_prefix + CLEARANCES_INBOUND.name
            await producer.send_and_wait(topic, one.value, one.key, 3)
    finally:
        await producer.stop()
    async with running(door):
        await until(door.service.consumer.idle)


async def fate(door: Door, offset: int, more: str = "", **asked: Any) -> Any:
    """Return the answer's status and body of the record there; `more` replays it."""
    path = f"/v1/inbound/records/{CLEARANCES_INBOUND.name}/3/{offset}{more}"
    answer = await door.ask("POST" if more else "GET", path, **asked)
    return answer.status_code, answer.json()


CASES: list[tuple[str, Sent, tuple[str, str | None]]] = [
    ("taken", Sent(event("paid")), ("applied", "paid")),
    ("the same again", Sent(event("paid")), ("repeat", "paid")),
    ("older", Sent(event("old", state="pending", said_at="2020-01-01T00:00Z")), ("stale", "old")),
    (
        "without a key",
        Sent(event("no-key", kind="identity", amount_minor=None, currency=None), None),
        ("applied", "no-key"),
    ),
    ("of the patient", Sent(event("his", reference="r-1", patient="ann")), ("applied", "his")),
    ("of another patient", Sent(event("anothers", patient="bob")), ("CONSENT_OF_ANOTHER", "anothers")),
    ("a negative amount", Sent(event("minus", amount_minor=-1)), ("NEGATIVE_AMOUNT", "minus")),
    ("a currency that is none", Sent(event("zzz", currency="ZZZ")), ("UNKNOWN_CURRENCY", "zzz")),
    ("a kind that is none", Sent(event("kind", kind="blood")), ("UNKNOWN_KIND", "kind")),
    ("a cancelled visit", Sent(event("gone", "v2"), b"v2"), ("VISIT_CANCELLED", "gone")),
    ("a visit that nobody booked", Sent(event("early", "v9"), b"v9"), ("UNKNOWN_APPOINTMENT", "early")),
    ("the key is another's", Sent(event("mismatch"), b"v9"), ("KEY_MISMATCH", "mismatch")),
    ("a tombstone", Sent(None), ("EMPTY_BODY", None)),
    ("no JSON", Sent(b"<paid/>"), ("NOT_JSON", None)),
    ("another body under the id", Sent(event("paid", amount_minor=1)), ("EVENT_ID_CONFLICT", "paid")),
]


async def test_g8_every_record_has_a_fate_and_a_refused_one_keeps_no_other_from_being_taken(
    there: Door, installation: Installation
) -> None:
    visit = (await there.post(booking("b1")))["appointment_id"]
    await there.post(booking("paid", "v2"))  # an id of a booking is none of a clearance
    await there.post({"event_id": "b3", "appointment": {"id": "v2", "status": "cancelled"}})
    await sent(there, installation, [record for _, record, _ in CASES])
    for offset, (what, _, (expected, event_id)) in enumerate(CASES):
        status, told = await fate(there, offset)
        assert (status, told.get("code", told["result"]), told.get("event_id")) == (200, expected, event_id), what
        assert ("dead_letter" in told) == (told["result"] == "refused"), what
    assert (await fate(there, 0))[1]["appointment_id"] == visit
    assert (await fate(there, 1))[1]["original_result"] == "applied"
    place = (await fate(there, 6))[1]["place"]
    assert place == "clearance.amount_minor"
    held = (await there.ask("GET", f"/v1/appointments/{visit}/clearances")).json()["current"]
    assert [(one["kind"], one["state"], one["reference"]) for one in held] == [
        ("financial", "cleared", "r-1"),
        ("identity", "cleared", None),
    ]
    listed = (await there.ask("GET", f"/v1/inbound?topic={CLEARANCES_INBOUND.name}", key=OPERATOR_KEY)).json()
    open_ones = sorted(one["record"]["offset"] for one in listed["items"])
    assert open_ones == [place for place, (_, _, (told, _)) in enumerate(CASES) if told.isupper()]


async def test_a_clearance_that_came_before_its_visit_is_taken_when_it_is_booked(
    there: Door, installation: Installation
) -> None:
    await sent(there, installation, [Sent(event("early")), Sent(event("bad", kind="blood"))])
    assert (await fate(there, 0, "/replay"))[0] == 404
    visit = (await there.post(booking("b1")))["appointment_id"]
    first, twice = await fate(there, 0, "/replay"), await fate(there, 0, "/replay")
    assert first == twice == await fate(there, 0)
    assert (first[1]["result"], first[1]["dead_letter"]["state"]) == ("applied", "replayed")
    assert (await fate(there, 1, "/replay"))[1]["code"] == "UNKNOWN_KIND"
    states = await there.pool.fetch("SELECT state FROM clearance WHERE appointment_id = $1", visit)
    assert [row["state"] for row in states] == ["cleared"]


async def test_what_was_sent_right_under_the_same_id_is_not_among_the_open_ones(
    there: Door, installation: Installation
) -> None:
    await there.post(booking("b1"))
    wrong = [Sent(event(event_id, currency="ZZZ")) for event_id in ("e1", "e2")]
    await sent(there, installation, [*wrong, Sent(event("e1"))])
    listed = (await there.ask("GET", f"/v1/inbound?topic={CLEARANCES_INBOUND.name}")).json()["items"]
    assert [one["event_id"] for one in listed] == ["e2"]


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one after the other"])
async def test_what_is_wrong_under_an_id_that_was_taken_before_is_among_the_open_ones(
    there: Door, installation: Installation, together: bool
) -> None:
    await there.post(booking("b1"))
    words = [Sent(event("e1")), Sent(event("e1", state="Taken back")), Sent(event("e1"))]
    for records in [words] if together else [[one] for one in words]:
        await sent(there, installation, records)
    listed = (await there.ask("GET", f"/v1/inbound?topic={CLEARANCES_INBOUND.name}")).json()["items"]
    assert [(one["event_id"], one["record"]["offset"]) for one in listed] == [("e1", 1)]


async def test_an_id_of_a_booking_is_none_of_a_clearance_when_they_are_refused_either(
    there: Door, installation: Installation
) -> None:
    await there.post([booking("b1"), {"event_id": "b2", "appointment": {"id": "v1", "status": "entered-in-error"}}])
    await there.ask("PUT", "/v1/sources/local/transitions", {"mode": "enforce"}, key=OPERATOR_KEY)
    await there.post(booking("b3", "v2"))
    back = {"event_id": "x", "appointment": {"id": "v1", "status": "booked"}}
    assert (await there.ask("POST", "/v1/events", back)).status_code == 409
    await sent(there, installation, [Sent(event(key, "v2", kind="blood"), b"v2") for key in ("x", "b2")])

    async def told(event_id: str, kind: str = "") -> str:
        body = (await there.ask("GET", f"/v1/inbound/{event_id}{kind}")).json()
        return str(body["code"] if body["result"] == "refused" else body["result"])

    assert await told("x") == await told("x", "?kind=booking") == "ILLEGAL_TRANSITION"
    assert [await told(one, "?kind=clearance") for one in ("x", "b2")] == ["UNKNOWN_KIND"] * 2
    assert await told("b2") == "applied"
    assert (await there.ask("GET", "/v1/inbound/b1?kind=clearance")).status_code == 404
    assert (await there.ask("GET", "/v1/inbound/b1?kind=blood")).status_code == 422


async def test_g9_a_topic_speaks_for_its_client_alone(there: Door, installation: Installation) -> None:
    key = await there.client(Client("other", ("other",), may_clear=True))
    await there.post(booking("b1"))
    foreign = orjson.dumps({**orjson.loads(event("src")), "source": "other"})
    await sent(there, installation, [Sent(event("mine")), Sent(foreign)])
    assert (await fate(there, 1))[1]["code"] == "FOREIGN_SOURCE"
    assert (await fate(there, 0, key=key))[0] == 404


async def test_g9_the_client_of_a_topic_clears_if_it_may(there: Door, installation: Installation) -> None:
    await there.post(booking("b1"))
    await there.pool.execute("UPDATE api_client SET may_clear = false WHERE client_id = 'local'")
    await sent(there, installation, [Sent(event("no-right"))])
    assert (await fate(there, 0))[1]["code"] == "MAY_NOT_CLEAR"
