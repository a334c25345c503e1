"""Golden examples: what each event looks like on its topic, byte for byte."""

from datetime import UTC, datetime

import orjson
import pytest

from schemas import topics, wire
from schemas.catalogue import MODELS
from schemas.envelope import Envelope, event_type
from tests.support.examples import EXAMPLES, example

TYPES = sorted(MODELS)


def typed(kind: str, value: bytes) -> bytes:
    """Decode by type as every consumer does, and encode again."""
    return wire.encode(wire.decode_typed(MODELS, (("ce_type", kind.encode()),), value))


@pytest.mark.parametrize("kind", TYPES)
def test_a_golden_example_decodes_and_encodes_to_the_same_bytes(kind: str) -> None:
    assert typed(kind, example(kind)) == example(kind)


@pytest.mark.parametrize("kind", TYPES)
def test_a_reader_of_today_keeps_the_fields_of_tomorrow(kind: str) -> None:
    tomorrow = orjson.loads(example(kind)) | {"added_later": {"deep": [1, {"x": "é"}]}, "flag": False}
    assert orjson.loads(typed(kind, orjson.dumps(tomorrow))) == tomorrow


def test_fields_of_tomorrow_are_kept_inside_nested_parts_too() -> None:
    tomorrow = orjson.loads(example("appointment.changed.v1"))
    tomorrow["policy"]["rules"][0]["channel"] = "sms"
    tomorrow["policy"]["window"]["weekdays"] = ["mon"]
    assert orjson.loads(typed("appointment.changed.v1", orjson.dumps(tomorrow))) == tomorrow


@pytest.mark.parametrize("topic", [topic for topic in topics.ALL if topic.types], ids=lambda topic: topic.name)
def test_every_kind_of_a_topic_has_a_model_and_an_example(topic: topics.Topic) -> None:
    for kind in topic.types:
        assert kind in MODELS
        assert (EXAMPLES / f"{kind}.json").exists()


def test_every_model_belongs_to_exactly_one_topic() -> None:
    declared = [kind for topic in topics.ALL for kind in topic.types]
    assert sorted(declared) == TYPES


def refused(kind: str | None, value: bytes | None) -> wire.Undecodable:
    headers = () if kind is None else (("ce_type", kind.encode()),)
    with pytest.raises(wire.Undecodable) as caught:
        wire.decode_typed(MODELS, headers, value)
    return caught.value


def test_an_unknown_major_version_is_named_as_such() -> None:
    assert refused("appointment.changed.v2", example("appointment.changed.v1")).code == "UNKNOWN_VERSION"


@pytest.mark.parametrize("kind", ["invoice.changed.v1", "appointment", "", None])
def test_an_unknown_type_is_named_as_such(kind: str | None) -> None:
    assert refused(kind, example("appointment.changed.v1")).code == "UNKNOWN_TYPE"


def test_a_record_without_a_value_is_named_as_such() -> None:
    assert refused("provider.changed.v1", None).code == "NO_VALUE"


@pytest.mark.parametrize(
    "value", [b"", b"{", b"[]", b"null", b"{}{}", b'\xff\xfe{"a":1}', b'{"name": NaN}', b"{" * 10_000]
)
def test_a_poisoned_value_is_invalid(value: bytes) -> None:
    assert refused("provider.changed.v1", value).code == "INVALID"


def test_a_refusal_names_the_place_and_never_the_value() -> None:
    secret = orjson.loads(example("patient.changed.v1")) | {"main_file": "Mrs Canary, 1 Secret Street"}
    error = refused("patient.changed.v1", orjson.dumps(secret))
    assert str(error) == "main_file: string_pattern_mismatch"


def test_the_header_comes_back_as_the_type() -> None:
    envelope = Envelope(
        "id", "patient.changed.v1", "attend/booking", "p", datetime(2026, 3, 1, tzinfo=UTC), "00-ab-cd-01"
    )
    assert event_type(envelope.headers()) == "patient.changed.v1"
    assert dict(envelope.headers())["traceparent"] == b"00-ab-cd-01"
