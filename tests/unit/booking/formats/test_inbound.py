"""Whose a record of an inbound topic is: its topic says, and nothing in the record does (G9)."""

from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord
from pydantic import SecretStr, ValidationError

from booking.formats.choice import Formats
from booking.formats.messages import decode_of
from booking.formats.plain.format import PlainJson
from booking.formats.port import Hints, Parsed
from booking.settings import Settings
from booking.values.refusals import Refused
from chassis.process.clock import RealClock
from chassis.process.errors import Misconfigured, RejectedEvent
from schemas.topics import BOOKINGS_INBOUND
from stack.prepare import declared_here

FORMATS = Formats(PlainJson())
BODY = {"event_id": "e1", "appointment": {"id": "v1", "status": "booked"}}


def record(**given: Any) -> ConsumerRecord[bytes, bytes]:
    fields = {"key": b"v1", "value": orjson.dumps(BODY), "headers": (), "timestamp": 0, **given}
    return ConsumerRecord(
        topic="t", partition=0, offset=0, timestamp_type=0, checksum=None, serialized_key_size=0,
        serialized_value_size=0, **fields,
    )  # fmt: skip


def settings(**given: Any) -> Settings:
    return Settings(database_url=SecretStr("x"), kafka_bootstrap_servers="x", **given)


@pytest.mark.parametrize("claims", [(), (("client", b"other"),), (("client", None),), (("client", b"\xff"),)])
def test_a_claim_in_a_header_is_not_looked_at(claims: tuple[tuple[str, bytes | None], ...]) -> None:
    assert decode_of("local", FORMATS, RealClock())(record(headers=claims)).client == "local"


def test_a_record_is_one_event_and_no_batch() -> None:
    for batch in ([BODY], {"events": [BODY]}):
        with pytest.raises(RejectedEvent, match="WRONG_TYPE"):
            decode_of("local", FORMATS, RealClock())(record(value=orjson.dumps(batch)))


@pytest.mark.parametrize("refused", [{}, {"event_id": "e1", "appointment": {"id": "v1", "status": "soon"}}])
def test_an_event_that_cannot_be_read_is_refused_with_its_own_code(refused: dict[str, Any]) -> None:
    with pytest.raises(RejectedEvent, match=r"MISSING_FIELD|UNKNOWN_STATUS"):
        decode_of("local", FORMATS, RealClock())(record(value=orjson.dumps(refused)))


@pytest.mark.parametrize("number", [0, 2])
def test_a_format_that_finds_no_event_or_several_is_no_way_around_that(number: int) -> None:
    class Several(PlainJson):
        def parse(self, body: bytes, hints: Hints) -> Parsed:
            return Parsed([*super().parse(body, hints).commands] * number)

    with pytest.raises(RejectedEvent, match="WRONG_TYPE"):
        decode_of("local", Formats(Several()), RealClock())(record())


def test_a_value_that_is_no_text_is_refused_though_its_format_does_not_look() -> None:
    class Text(PlainJson):
        def parse(self, body: bytes, hints: Hints) -> Parsed:
            return super().parse(body.decode().encode(), hints)

    with pytest.raises(RejectedEvent, match="NOT_UTF8: byte 1: the body is not UTF-8"):
        decode_of("local", Formats(Text()), RealClock())(record(value=b"x\xff"))


def test_what_stands_as_its_refusal_is_refused_with_its_place() -> None:
    class Refusing(PlainJson):
        def parse(self, body: bytes, hints: Hints) -> Parsed:
            return Parsed([Refused("WRONG_TYPE", "six fields a line", "line 1")])

    with pytest.raises(RejectedEvent, match="WRONG_TYPE: line 1: six fields a line"):
        decode_of("local", Formats(Refusing()), RealClock())(record())


@pytest.mark.parametrize(("given", "held"), [({}, ""), ({"source": ""}, ""), ({"source": "pas"}, "pas")])
def test_the_source_that_a_record_names_is_kept_until_its_client_is_known(given: dict[str, str], held: str) -> None:
    assert decode_of("local", FORMATS, RealClock())(record(value=orjson.dumps({**BODY, **given}))).source == held


def test_a_topic_of_nobodys_is_refused_whatever_its_records_claim() -> None:
    with pytest.raises(RejectedEvent, match="NO_CLIENT"):
        decode_of(None, FORMATS, RealClock())(record(headers=(("client", b"local"),)))


def test_the_first_inbound_topic_is_read_though_it_is_nobodys_so_that_nothing_waits_unseen() -> None:
    assert list(settings().inbound) == [(BOOKINGS_INBOUND, None)]
    bound = settings(inbound_clients={"bookings-inbound": "local", "more": "pas"}).inbound
    assert {topic.name: client for topic, client in bound} == {"bookings-inbound": "local", "more": "pas"}


@pytest.mark.parametrize("bound", [{"appointments": "local"}, {"a b": "local"}, {"more": ""}])
def test_a_binding_that_cannot_be_is_refused_at_the_start(bound: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        settings(inbound_clients=bound)


def test_the_stack_makes_the_topics_that_are_bound() -> None:
    made = declared_here({"BOOKING_INBOUND_CLIENTS": '{"bookings-inbound": "a", "more": "b"}'})
    assert [topic.name for topic in made].count("bookings-inbound") == 1
    assert made[-1].name == "more"
    assert len(declared_here({})) == len(made) - 1


@pytest.mark.parametrize("given", ["{", "[1]", '{"appointments": "a"}'])
def test_the_stack_refuses_a_binding_that_cannot_be(given: str) -> None:
    with pytest.raises(Misconfigured, match="BOOKING_INBOUND_CLIENTS"):
        declared_here({"BOOKING_INBOUND_CLIENTS": given})
