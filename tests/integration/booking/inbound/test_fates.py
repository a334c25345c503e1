"""The fate of every record of an inbound topic can be asked, and a refused one taken later (G8, G9)."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple, cast

import orjson
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from booking.door.domain import Client
from booking.inbound import reads
from booking.inbound.domain import Position
from chassis.delivery import skip
from chassis.kafka import topics as broker_topics
from schemas.topics import BOOKINGS_INBOUND, inbound
from tests.support.booking.door import OPERATOR_KEY, Door, booking, opened_on_kafka, running
from tests.support.installation import Installation
from tests.support.waiting import until

FHIR = ("content-type", b"application/fhir+json")
LATER = "2027-04-01T10:00:00+00:00"
FURTHER = inbound("bookings-inbound-other")


class Sent(NamedTuple):
    """What is written to the topic, all to one partition."""

    value: bytes | None
    key: bytes | None = b"v1"
    headers: Sequence[tuple[str, Any]] = ()
    topic: str = BOOKINGS_INBOUND.name


def event(event_id: str = "e1", appointment: str = "v1", **given: Any) -> bytes:
    return orjson.dumps(booking(event_id, appointment, **given))


@pytest.fixture
async def there(installation: Installation) -> AsyncIterator[Door]:
    await broker_topics.apply(installation.bootstrap, [FURTHER], installation.topic_prefix)
    async with opened_on_kafka(
        installation, inbound_clients={BOOKINGS_INBOUND.name: "local", FURTHER.name: "other"}
    ) as door:
        yield door


async def sent(door: Door, installation: Installation, *records: Sent) -> None:
    """Write the records, and return when all are read."""
    producer = AIOKafkaProducer(bootstrap_servers=installation.bootstrap)
    await producer.start()
    try:
        for one in records:
            topic = installation.topic_prefix + one.topic
            await producer.send_and_wait(topic, one.value, one.key, 3, headers=one.headers)
    finally:
        await producer.stop()
    async with running(door):
        await until(door.service.consumer.idle)


async def fate(
    door: Door, offset: int, key: str | None = None, topic: str = BOOKINGS_INBOUND.name, more: str = ""
) -> Any:
    """Return the answer's status and body of the record there; `more` replays it."""
    asked = {} if key is None else {"key": key}
    method = "POST" if more else "GET"
    answer = await door.ask(method, f"/v1/inbound/records/{topic}/3/{offset}{more}", **asked)
    return answer.status_code, answer.json()


CASES: list[tuple[str, Sent, tuple[str, str | None]]] = [
    ("taken", Sent(event("taken")), ("applied", "taken")),
    ("the same again", Sent(event("taken")), ("repeat", "taken")),
    ("without a key", Sent(event("no-key", "v2"), None), ("applied", "no-key")),
    (
        "older",
        Sent(orjson.dumps({**booking("old", start=LATER), "occurred_at": "2020-01-01T00:00Z"})),
        ("stale", "old"),
    ),
    ("the key is another's", Sent(event("mismatch"), b"v9"), ("KEY_MISMATCH", "mismatch")),
    ("the key is no text", Sent(event("latin"), b"v\xe9"), ("NOT_UTF8", "latin")),
    ("an empty key", Sent(event("empty"), b""), ("KEY_MISMATCH", "empty")),
    ("a tombstone", Sent(None), ("EMPTY_BODY", None)),
    ("no JSON", Sent(b"<booking/>"), ("NOT_JSON", None)),
    ("a batch", Sent(b"[" + event("batch") + b"]"), ("WRONG_TYPE", None)),
    ("too deep", Sent(event("deep")[:-1] + b',"x":' + b"[" * 40 + b"]" * 40 + b"}"), ("TOO_DEEP", "deep")),
    ("a header that lies", Sent(event("lie"), headers=[FHIR]), ("NOT_AN_APPOINTMENT", "lie")),
    ("a type that nobody reads", Sent(b"MSH|^~\\&|PAS", headers=[("content-type", b"x-hl7")]), ("NOT_JSON", None)),
    ("a clinic of nobody", Sent(event("clinic", "v3", clinic="NOWHERE"), b"v3"), ("UNKNOWN_CLINIC", "clinic")),
    ("a source of others", Sent(orjson.dumps({**booking("src"), "source": "x"})), ("FOREIGN_SOURCE", "src")),
    ("another body under the id", Sent(event("taken", start=LATER)), ("EVENT_ID_CONFLICT", "taken")),
]


async def test_g8_the_fate_of_every_record_can_be_asked_by_its_place_and_where_it_has_one_by_its_id(
    there: Door, installation: Installation
) -> None:
    await sent(there, installation, *(record for _, record, _ in CASES))
    for offset, (what, _, (expected, event_id)) in enumerate(CASES):
        status, told = await fate(there, offset)
        assert (status, told.get("code", told["result"]), told.get("event_id")) == (200, expected, event_id), what
        assert told["record"] == {
            "topic": f"{installation.topic_prefix}bookings-inbound",
            "partition": 3,
            "offset": offset,
        }
        assert ("dead_letter" in told) == (told["result"] == "refused"), what
        if event_id is not None:
            by_id = (await there.ask("GET", f"/v1/inbound/{event_id}")).json()
            assert by_id.get("code", by_id["result"]) in {expected, "applied"}, what
            assert ("dead_letter" in by_id) == (by_id["result"] == "refused"), what
    assert "NO_KEY" in [warned["code"] for warned in (await fate(there, 2))[1]["warnings"]]
    repeated = (await fate(there, 1))[1]
    assert (repeated["original_result"], repeated["version"]) == ("applied", 1)
    assert (await fate(there, len(CASES)))[1]["result"] == "waiting"


async def test_what_was_refused_is_listed_page_by_page_and_filtered(there: Door, installation: Installation) -> None:
    await sent(there, installation, *(Sent(event(f"e{n}", f"v{n}"), b"other") for n in range(5)), Sent(b"{"))
    seen: list[int] = []
    path, after = "/v1/inbound?limit=4", ""
    while True:
        page = (await there.ask("GET", path + after)).json()
        seen += [item["record"]["offset"] for item in page["items"]]
        if page["next_after"] is None:
            break
        after = f"&after={page['next_after']}"
    assert seen == [5, 4, 3, 2, 1, 0]

    async def listed(query: str, key: str = OPERATOR_KEY) -> list[str | None]:
        answer = await there.ask("GET", f"/v1/inbound?{query}", key=key)
        assert answer.status_code == 200, answer.text
        return [item["event_id"] for item in answer.json()["items"]]

    assert await listed("code=TRUNCATED_JSON") == [None]
    assert await listed("topic=bookings-inbound&code=KEY_MISMATCH") == ["e4", "e3", "e2", "e1", "e0"]
    assert await listed(f"topic={FURTHER.name}") == []
    assert await listed("since=2999-01-01T00:00:00Z") == []
    assert len(await listed("since=2020-01-01T00:00:00Z")) == 6
    assert await listed("state=discarded") == []
    assert (await there.post(booking("e4", "v4")))["result"] == "applied"
    assert await listed("code=KEY_MISMATCH") == ["e3", "e2", "e1", "e0"]
    assert (await there.ask("GET", "/v1/inbound/e4")).json()["result"] == "applied"


async def test_g9_a_client_sees_and_replays_the_records_of_its_own_topics_alone(
    there: Door, installation: Installation
) -> None:
    key = await there.client(Client("other", ("other",)))
    theirs = (Sent(event("theirs"), b"v9", topic=FURTHER.name), Sent(event("e2"), topic=FURTHER.name))
    await sent(there, installation, Sent(event("mine"), b"v9"), *theirs)
    unknown = (404, "UNKNOWN_RECORD")
    for topic, offset, asker, expected in (
        ("bookings-inbound", 0, None, (200, "KEY_MISMATCH")),
        ("bookings-inbound", 0, key, unknown),
        (FURTHER.name, 0, None, unknown),
        (FURTHER.name, 0, key, (200, "KEY_MISMATCH")),
        (FURTHER.name, 1, key, (200, "applied")),
        (FURTHER.name, 1, OPERATOR_KEY, (200, "applied")),
        ("appointments", 0, OPERATOR_KEY, unknown),
    ):
        status, told = await fate(there, offset, asker, topic)
        assert (status, told.get("code") or told["result"]) == expected, (topic, offset)
    assert [status for status, _ in (await fate(there, 0, key, more="/replay"), await fate(there, 0, key))] == [
        404,
        404,
    ]
    assert (await there.ask("GET", "/v1/inbound/records/bookings-inbound/99/0")).status_code == 404
    assert (await there.ask("GET", "/v1/inbound/theirs")).status_code == 404
    assert [one["event_id"] for one in (await there.ask("GET", "/v1/inbound")).json()["items"]] == ["mine"]
    assert {one["client"] for one in (await there.ask("GET", "/v1/inbound", key=key)).json()["items"]} == {"other"}


async def test_a_refused_record_is_replayed_by_whose_topic_it_is_once(there: Door, installation: Installation) -> None:
    await sent(there, installation, Sent(event("e1", clinic="LATER")), Sent(event("e2", "v2"), b"v2"), Sent(None))
    status, again = await fate(there, 0, more="/replay")
    assert (status, again["code"], again["errors"][0]["place"]) == (422, "UNKNOWN_CLINIC", "appointment.clinic")
    assert (await fate(there, 0))[1]["dead_letter"]["state"] == "open"

    await there.put("/v1/clinics/LATER", {"name": "Later", "zone": "Europe/London"})
    first, twice = await fate(there, 0, more="/replay"), await fate(there, 0, more="/replay")

    assert first == twice == await fate(there, 0)
    assert (first[1]["result"], first[1]["version"], first[1]["dead_letter"]["state"]) == ("applied", 1, "replayed")
    assert (await fate(there, 1, more="/replay"))[1]["result"] == "applied"
    assert await there.pool.fetchval("SELECT count(*) FROM appointment_history") == 2
    await there.pool.execute("UPDATE dead_letter SET state = 'discarded' WHERE state = 'open'")
    status, refused = await fate(there, 2, more="/replay")
    assert (status, refused["code"]) == (409, "DISCARDED")
    assert (await fate(there, 2))[1]["dead_letter"]["state"] == "discarded"


async def test_what_people_passed_over_and_what_is_long_forgotten_says_so(
    there: Door, installation: Installation
) -> None:
    await sent(there, installation, *(Sent(event(f"e{n}", f"v{n}"), None) for n in range(3)))
    await there.pool.execute("DELETE FROM inbound_taken")
    await there.pool.execute(
        "INSERT INTO position_skip (consumer, topic, partition, from_offset, to_offset, skipped_by, reason) "
        "VALUES ('booking', $1, 3, 1, 2, 'somebody', 'torn')",
        f"{installation.topic_prefix}bookings-inbound",
    )
    assert [(await fate(there, offset))[0] for offset in (0, 1, 2)] == [404, 200, 404]
    assert (await fate(there, 1))[1]["result"] == "skipped"


async def test_what_the_release_before_refused_and_was_replayed_tells_what_became_of_it(
    there: Door, installation: Installation
) -> None:
    await sent(there, installation, Sent(event("e1", clinic="LATER")), Sent(b"{"))
    await there.pool.execute("UPDATE dead_letter SET event_id = NULL, place = NULL")
    assert [(await fate(there, offset))[1]["event_id"] for offset in (0, 1)] == ["e1", None]
    await there.put("/v1/clinics/LATER", {"name": "Later", "zone": "Europe/London"})

    _, told = await fate(there, 0, more="/replay")

    assert (told["result"], told["event_id"], told["dead_letter"]["state"]) == ("applied", "e1", "replayed")


async def test_of_a_topic_that_was_made_anew_no_older_record_is_told(there: Door, installation: Installation) -> None:
    await sent(there, installation, *(Sent(event(f"e{n}", f"v{n}"), None) for n in range(3)))
    topic = f"{installation.topic_prefix}bookings-inbound"
    held = skip.Held(reads.CONSUMER, TopicPartition(topic, 3), 3)
    await skip.skip(there.pool, held, 1, "somebody", "the topic was made anew")
    assert [(await fate(there, offset))[1]["result"] for offset in (0, 1, 2)] == ["applied", "waiting", "waiting"]

    await there.pool.execute(
        "UPDATE inbound_taken SET recorded_at = clock_timestamp() WHERE offsets @> ARRAY[2::bigint]"
    )
    assert (await fate(there, 2))[1]["result"] == "applied"


async def test_records_of_one_batch_are_kept_in_one_row_a_partition(there: Door, installation: Installation) -> None:
    await sent(there, installation, *(Sent(event(f"e{n % 3}", f"v{n % 3}"), None) for n in range(6)))
    rows = await there.pool.fetch("SELECT first_offset, offsets, event_ids, repeats FROM inbound_taken")
    assert sum(len(row["offsets"]) for row in rows) == 6
    assert len(rows) <= 2
    assert [(await fate(there, n))[1]["result"] for n in range(6)] == ["applied"] * 3 + ["repeat"] * 3


MISSPELT = "there is no such field, so it was not read; did you mean start?"


async def test_a_record_that_misspells_what_it_must_have_says_so_in_its_fate_and_in_its_dead_letter(
    there: Door, installation: Installation
) -> None:
    visit = {"id": "v8", "status": "booked", "patient": {"id": "ann"}, "clinic": "EYE", "strat": LATER}
    told = orjson.dumps({"event_id": "late", "appointment": visit})
    await sent(there, installation, Sent(told, b"v8"), Sent(told.replace(b"late", b"key"), b"v9"))

    _, by_place = await fate(there, 0)
    by_id = (await there.ask("GET", "/v1/inbound/late")).json()
    (_, listed) = (await there.ask("GET", "/v1/inbound")).json()["items"]
    _, mismatch = await fate(there, 1)
    letters = await there.pool.fetch("SELECT code, place, message FROM dead_letter ORDER BY id")

    for one in (by_place, by_id, listed):
        assert (one["code"], one["place"]) == ("START_REQUIRED", "appointment.start")
        assert one["detail"].endswith(f"; also appointment.strat: {MISSPELT}")
    assert mismatch["code"] == "KEY_MISMATCH"
    assert MISSPELT in mismatch["detail"]
    assert [letter["code"] for letter in letters] == ["START_REQUIRED", "KEY_MISMATCH"]
    assert all(letter["message"].endswith(f"; also appointment.strat: {MISSPELT}") for letter in letters)
    _, again = await fate(there, 0, more="/replay")
    assert (again["code"], again["detail"].count(MISSPELT)) == ("START_REQUIRED", 1)


class TakenMeanwhile:
    """A pool of which one read sees nothing yet of a record that is taken just after it."""

    def __init__(self, door: Door, installation: Installation, reads_before: int) -> None:
        self._door, self._installation, self._left = door, installation, reads_before

    def __getattr__(self, name: str) -> Any:
        read = getattr(self._door.pool, name)

        async def as_it_was(*asked: Any) -> Any:
            found = await read(*asked)
            if self._left == 0:
                await sent(self._door, self._installation, Sent(event("just-now")))
            self._left -= 1
            return found

        return as_it_was


@pytest.mark.parametrize(("reads_before", "result"), [(0, "applied"), (1, "applied"), (2, "waiting")])
async def test_a_record_that_is_taken_while_it_is_asked_for_waits_or_is_there(
    there: Door, installation: Installation, reads_before: int, result: str
) -> None:
    meanwhile = cast(Any, TakenMeanwhile(there, installation, reads_before))
    at = Position(installation.topic_prefix + BOOKINGS_INBOUND.name, 3, 0)
    assert (await reads.of_record(meanwhile, at, "local", lambda _: None))["result"] == result
    assert (await fate(there, 0))[1]["result"] == "applied"
