"""Whose a record of an inbound topic is: its topic says, and nothing in the record does (G9)."""

from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord
from pydantic import SecretStr, ValidationError

from booking.formats.messages import decode_of
from booking.settings import Settings
from chassis.errors import Misconfigured, RejectedEvent
from schemas.topics import BOOKINGS_INBOUND
from stack.prepare import declared_here

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
    assert decode_of("local")(record(headers=claims)).order.client == "local"


def test_a_topic_of_nobodys_is_refused_whatever_its_records_claim() -> None:
    with pytest.raises(RejectedEvent, match="NO_CLIENT"):
        decode_of(None)(record(headers=(("client", b"local"),)))


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
