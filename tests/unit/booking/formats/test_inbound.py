"""Whose a record of an inbound topic is: its topic says, and nothing in the record does (G9)."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord
from pydantic import SecretStr, ValidationError

from booking.appointments.domain.command import BookAppointment
from booking.door.domain import Client
from booking.door.strict_json import canonical_hash
from booking.formats.choice import Formats
from booking.formats.fates import rejected
from booking.formats.fhir_r4.format import FhirR4
from booking.formats.messages import ReadRecord, decode_of
from booking.formats.plain.format import PlainJson
from booking.formats.port import Hints, Parsed
from booking.settings import Settings
from booking.values.refusals import Refused
from chassis.process.clock import RealClock
from chassis.process.errors import Misconfigured
from schemas.topics import BOOKINGS_INBOUND
from stack.prepare import declared_here
from tests.support.booking.builders import LOCAL

FORMATS = Formats(PlainJson())
BODY = {"event_id": "e1", "appointment": {"id": "v1", "status": "booked"}}


def record(**given: Any) -> ConsumerRecord[bytes, bytes]:
    fields = {"key": b"v1", "value": orjson.dumps(BODY), "headers": (), "timestamp": 0, **given}
    return ConsumerRecord(
        topic="t", partition=0, offset=0, timestamp_type=0, checksum=None, serialized_key_size=0,
        serialized_value_size=0, **fields,
    )  # fmt: skip


def refusal_of(read: ReadRecord) -> tuple[str, str]:
    assert isinstance(read.command, Refused)
    return read.command.code, read.command.place


def read(formats: Formats = FORMATS, client: str | None = "local", **given: Any) -> ReadRecord:
    found = decode_of(client, formats, RealClock())(record(**given))
    return found if client is None else found.again(replace(LOCAL, client_id=client))


def settings(**given: Any) -> Settings:
    return Settings(database_url=SecretStr("x"), kafka_bootstrap_servers="x", **given)


@pytest.mark.parametrize("claims", [(), (("client", b"other"),), (("client", None),), (("client", b"\xff"),)])
def test_a_claim_in_a_header_is_not_looked_at(claims: tuple[tuple[str, bytes | None], ...]) -> None:
    found = read(headers=claims)
    assert (found.client, found.event_id) == ("local", "e1")
    assert isinstance(found.command, BookAppointment)
    assert found.command.client == "local"


@pytest.mark.parametrize(
    ("given", "code", "event_id"),
    [
        ({"value": orjson.dumps([BODY])}, "WRONG_TYPE", None),
        ({"value": orjson.dumps({"events": [BODY]})}, "WRONG_TYPE", None),
        ({"value": orjson.dumps({})}, "MISSING_FIELD", None),
        ({"value": orjson.dumps({**BODY, "appointment": {"id": "v1", "status": "soon"}})}, "UNKNOWN_STATUS", "e1"),
        ({"value": orjson.dumps({"event_id": "e1"})}, "MISSING_FIELD", "e1"),
        ({"value": orjson.dumps({**BODY, "event_id": "e\x00"})}, "CONTROL_CHARACTER", None),
        ({"value": orjson.dumps({**BODY, "event_id": 7})}, "WRONG_TYPE", "7"),
        ({"value": None}, "EMPTY_BODY", None),
        ({"value": b"{"}, "TRUNCATED_JSON", None),
        ({"value": b'{"event_id": "e1", "more": ' + b"[" * 40 + b"]" * 40 + b"}"}, "TOO_DEEP", "e1"),
        ({"value": b"[" * 100_000 + b"]" * 100_000}, "TOO_DEEP", None),
        ({"value": b'{"event_id": "e1", "event_id": "e2"}'}, "DUPLICATE_KEY", "e2"),
        ({"value": b'{"event_id": "e1", "sequence": ' + b"9" * 5_000 + b"}"}, "NUMBER_TOO_LONG", "e1"),
        ({"value": b'{"event_id": "\\ud83d"}'}, "MISSING_FIELD", None),
        ({"value": b"\xff"}, "NOT_UTF8", None),
        ({"key": b"v2"}, "KEY_MISMATCH", "e1"),
        ({"key": b"\xff"}, "NOT_UTF8", "e1"),
        ({"key": b""}, "KEY_MISMATCH", "e1"),
    ],
)
def test_what_is_refused_says_which_event_it_was_where_that_can_be_read(
    given: dict[str, Any], code: str, event_id: str | None
) -> None:
    found = read(**given)
    assert (refusal_of(found)[0], found.event_id, found.client) == (code, event_id, "local")


@pytest.mark.parametrize(
    ("body", "event_id"),
    [
        (BODY, "e1"),
        ({"resourceType": "Bundle", "id": "b1", "entry": [{"resource": {"id": "h1"}}]}, "h1"),
        ({"resourceType": "Bundle", "id": "b1", "entry": [7]}, "b1"),
        ({"resourceType": "Appointment"}, f"sha256:{canonical_hash({'resourceType': 'Appointment'}).hex()}"),
        ({"resourceType": "Patient", "id": "p"}, None),
    ],
)
def test_the_id_is_found_whatever_format_a_header_claims(body: dict[str, Any], event_id: str | None) -> None:
    formats = Formats(PlainJson(), FhirR4())
    for claimed in (b"application/fhir+json", b"application/json", b"text/xml"):
        found = read(formats, None, value=orjson.dumps(body), headers=(("content-type", claimed),))
        assert (refusal_of(found)[0], found.event_id) == ("NO_CLIENT", event_id)


@pytest.mark.parametrize("number", [0, 2])
def test_a_format_that_finds_no_event_or_several_is_no_way_around_that(number: int) -> None:
    class Several(PlainJson):
        def parse(self, body: bytes, hints: Hints) -> Parsed:
            return Parsed([*super().parse(body, hints).commands] * number)

    assert refusal_of(read(Formats(Several()))) == ("WRONG_TYPE", "")


def test_a_value_that_is_no_text_is_refused_though_its_format_does_not_look() -> None:
    class Text(PlainJson):
        def parse(self, body: bytes, hints: Hints) -> Parsed:
            return super().parse(body.decode().encode(), hints)

    assert refusal_of(read(Formats(Text()), value=b"x\xff")) == ("NOT_UTF8", "byte 1")


def test_what_stands_as_its_refusal_is_refused_with_its_place() -> None:
    class Refusing(PlainJson):
        def parse(self, body: bytes, hints: Hints) -> Parsed:
            return Parsed([Refused("WRONG_TYPE", "six fields a line", "line 1")])

    assert refusal_of(read(Formats(Refusing()))) == ("WRONG_TYPE", "line 1")
    told = rejected(Refused("WRONG_TYPE", "six fields a line", "line 1"), "e1")
    assert (str(told), told.place, told.event_id) == ("WRONG_TYPE: line 1: six fields a line", "line 1", "e1")


@pytest.mark.parametrize(
    ("given", "sources", "meant"),
    [
        ({}, ("local",), "local"),
        ({"source": ""}, ("local",), "local"),
        ({"source": "pas"}, ("local", "pas"), "pas"),
        ({}, ("local", "pas"), "SOURCE_REQUIRED"),
        ({"source": "pas"}, ("local",), "FOREIGN_SOURCE"),
    ],
)
def test_a_record_is_of_the_source_that_it_names_else_of_its_clients_only_one(
    given: dict[str, str], sources: tuple[str, ...], meant: str
) -> None:
    found = decode_of("local", FORMATS, RealClock())(record(value=orjson.dumps({**BODY, **given})))
    command = found.again(Client("local", sources)).command
    assert (command.code if isinstance(command, Refused) else command.source) == meant


def test_a_record_is_read_at_once_as_its_client_was_last_seen() -> None:
    decode = decode_of("local", FORMATS, RealClock())
    decode(record()).again(LOCAL)
    found = decode(record())
    assert (found.read_as, isinstance(found.command, BookAppointment)) == (LOCAL, True)


def test_a_topic_of_nobodys_is_refused_whatever_its_records_claim() -> None:
    assert refusal_of(read(client=None, headers=(("client", b"local"),)))[0] == "NO_CLIENT"


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
