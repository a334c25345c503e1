"""The AsyncAPI document says of every topic and event what the code does; `make examples` validates it as such."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from booking.door.domain import ALL as ANY
from booking.door.domain import Client
from booking.formats.contract import MODELS
from booking.formats.plain.contract import RecordBody
from booking.formats.plain.format import BOOKED, CANCELLED, MOVED, PlainJson
from booking.formats.port import Hints
from booking.values.refusals import Refused
from schemas import asyncapi, catalogue
from schemas.export import findings
from schemas.topics import ALL, BOOKINGS_INBOUND, PATIENTS, SUBFILES
from tests.support.booking.builders import NOW
from tests.support.examples import SCHEMAS

FOLDER = SCHEMAS.parent


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((FOLDER / asyncapi.FILE).read_bytes())
    return found


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from references(one)


def test_the_file_is_as_it_would_be_made_now(document: dict[str, Any]) -> None:
    assert document == orjson.loads(orjson.dumps(asyncapi.document(FOLDER)))
    assert asyncapi.main(["--check", str(FOLDER)]) == 0


def test_every_topic_is_a_channel_with_its_partitions_retention_and_events(document: dict[str, Any]) -> None:
    assert list(document["channels"]) == [topic.name for topic in ALL]
    for topic in ALL:
        channel = document["channels"][topic.name]
        assert set(topic.types) <= set(channel["messages"])
        assert channel["bindings"]["kafka"]["partitions"] == topic.partitions
    kept = {
        topic.name: document["channels"][topic.name]["bindings"]["kafka"]["topicConfiguration"]
        for topic in (PATIENTS, SUBFILES, BOOKINGS_INBOUND)
    }
    assert kept == {
        "patients": {"cleanup.policy": ["compact"], "retention.ms": -1},
        "subfiles": {"cleanup.policy": ["delete"], "retention.ms": 400 * 86_400_000},
        "bookings-inbound": {"cleanup.policy": ["delete"], "retention.ms": 7 * 86_400_000},
    }
    assert set(catalogue.MODELS) | {asyncapi.INBOUND, asyncapi.CLEARANCE, asyncapi.FHIR} == set(
        document["components"]["messages"]
    )


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in set(references(document)):
        place: Any = document
        for name in reference.removeprefix("#/").split("/"):
            place = place[name]
        assert isinstance(place, dict)


def test_a_file_that_is_not_as_the_topics_are_is_told_of(tmp_path: Any) -> None:
    for part in ("json", "inbound", "examples"):
        (tmp_path / part).symlink_to(FOLDER / part)
    assert asyncapi.main(["--check", str(tmp_path)]) == 1
    assert asyncapi.main([str(tmp_path)]) == 0
    assert asyncapi.main(["--check", str(tmp_path)]) == 0


def test_the_schema_of_an_inbound_event_is_that_of_the_parser_and_only_grows() -> None:
    assert findings(FOLDER / "inbound", MODELS) == {}


@pytest.mark.parametrize("body", [BOOKED, MOVED, CANCELLED])
def test_what_the_schema_shows_is_taken(body: dict[str, Any]) -> None:
    RecordBody.model_validate(body)
    assert PlainJson().parse(orjson.dumps(body), Hints(Client("local", (ANY,)), NOW, source="local")).is_one


@pytest.mark.parametrize("lacking", ["event_id", "appointment"])
def test_what_the_schema_demands_is_demanded(lacking: str) -> None:
    assert lacking in MODELS["booking.event.v1"].model_json_schema()["required"]
    body = {name: value for name, value in BOOKED.items() if name != lacking}
    with pytest.raises(Refused, match="MISSING_FIELD"):
        PlainJson().parse(orjson.dumps(body), Hints(Client("local", (ANY,)), NOW, source="local"))


def test_no_field_of_an_inbound_event_has_a_default_that_would_take_something_away() -> None:
    assert '"default"' not in (FOLDER / "inbound" / "booking.event.v1.json").read_text()
