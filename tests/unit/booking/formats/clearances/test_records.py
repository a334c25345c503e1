"""A record of `clearances-inbound` is one clearance of ours, under the key of its visit; its topic says whose it is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord
from pydantic import SecretStr, ValidationError

from booking.clearances.domain.kinds import State
from booking.formats.clearances.messages import ReadClearance, decode_of
from booking.formats.clearances.plain import EXAMPLES
from booking.formats.clearances.told import ToldClearance
from booking.settings import Settings
from booking.values.refusals import Refused
from chassis.process.clock import Clock, RealClock, StillClock
from chassis.process.errors import Misconfigured
from stack.prepare import declared_here

SAID = {"kind": "financial", "state": "cleared", "amount_minor": 4500, "currency": "GBP", "patient": "p1"}
BODY: dict[str, Any] = {"event_id": "e1", "appointment": {"id": "v1"}, "clearance": SAID}


def read(client: str | None = "local", clock: Clock | None = None, **given: Any) -> ReadClearance:
    fields = {"key": b"v1", "value": orjson.dumps(BODY), "headers": (), "timestamp": 0, **given}
    record = ConsumerRecord[bytes, bytes](
        topic="t", partition=0, offset=0, timestamp_type=0, checksum=None, serialized_key_size=0,
        serialized_value_size=0, **fields,
    )  # fmt: skip
    return decode_of(client, clock or RealClock())(record)


def told(**given: Any) -> ToldClearance:
    found = read(**given).told
    assert isinstance(found, ToldClearance), found
    return found


def changed(**members: Any) -> bytes:
    return orjson.dumps({**BODY, "clearance": {**SAID, **members}})


def test_a_record_says_which_visit_whose_and_what() -> None:
    found = told()
    command = found.command
    assert (command.client, command.key, found.visits, found.patients) == ("local", "e1", ("v1",), ("p1",))
    assert (command.kind, command.state, command.amount_minor, command.currency) == (
        "financial", State.CLEARED, 4500, "GBP",
    )  # fmt: skip
    assert command.warnings == ()


@pytest.mark.parametrize("event", EXAMPLES)
def test_what_the_schema_shows_is_taken(event: dict[str, Any]) -> None:
    assert told(value=orjson.dumps(event), key=event["appointment"]["id"].encode()).command.key == event["event_id"]


@pytest.mark.parametrize(
    ("given", "code", "place", "event_id"),
    [
        ({"value": orjson.dumps({**BODY, "event_id": None})}, "WRONG_TYPE", "event_id", None),
        ({"value": orjson.dumps([BODY])}, "WRONG_TYPE", "", None),
        ({"value": orjson.dumps({"event_id": "e1", "clearance": SAID})}, "MISSING_FIELD", "appointment", "e1"),
        ({"value": orjson.dumps({**BODY, "appointment": {"id": " v1"}})}, "PADDED_ID", "appointment.id", "e1"),
        ({"value": changed(state="paid")}, "UNKNOWN_STATE", "clearance.state", "e1"),
        ({"value": changed(amount_minor=45.5)}, "WRONG_TYPE", "clearance.amount_minor", "e1"),
        ({"value": changed(kind="Self pay")}, "BAD_SLUG", "clearance.kind", "e1"),
        ({"value": changed(expires_at="2027-03-01T09:00")}, "NAIVE_TIME", "clearance.expires_at", "e1"),
        ({"value": b"{"}, "TRUNCATED_JSON", "", None),
        ({"value": None}, "EMPTY_BODY", "", None),
        ({"value": b"\xff"}, "NOT_UTF8", "byte 0", None),
        ({"key": b"v2"}, "KEY_MISMATCH", "", "e1"),
        ({"key": b"\xff"}, "NOT_UTF8", "byte 0", "e1"),
        ({"client": None}, "NO_CLIENT", "", "e1"),
    ],
)
def test_what_is_refused_says_where_and_which_event_it_was(
    given: dict[str, Any], code: str, place: str, event_id: str | None
) -> None:
    found = read(**given)
    assert isinstance(found.told, Refused), found.told
    assert (found.told.code, found.event_id) == (code, event_id)
    assert found.told.place == place or place == ""


def test_a_record_without_a_key_and_fields_that_nobody_knows_are_warned_of() -> None:
    value = orjson.dumps({**BODY, "clearence": 1, "clearance": {**SAID, "amount": 45}})
    warned = told(key=None, value=value).command.warnings
    assert [(one.code, one.place) for one in warned] == [
        ("UNKNOWN_FIELD", "clearence"),
        ("UNKNOWN_FIELD", "clearance.amount"),
        ("NO_KEY", ""),
    ]


@pytest.mark.parametrize(("given", "held"), [({}, ""), ({"source": "pas"}, "pas")])
def test_the_source_that_a_record_names_is_kept_until_its_client_is_known(given: dict[str, str], held: str) -> None:
    found = told(value=orjson.dumps({**BODY, **given}))
    assert (found.source, found.of_source("x").source) == (held, "x")


SENT = datetime(2027, 3, 1, 9, tzinfo=UTC)


class _Stepped(StillClock):
    """Domain time is a day ahead of the machine's."""

    def unstepped(self) -> datetime:
        return self.now() - timedelta(days=1)


@pytest.mark.parametrize(
    ("clock", "sent", "said_at", "stands_at"),
    [
        (StillClock(SENT + timedelta(hours=6)), SENT, None, SENT),
        (StillClock(SENT + timedelta(hours=6)), SENT, "2027-02-28T09:00:00Z", SENT - timedelta(days=1)),
        (_Stepped(SENT + timedelta(days=1, hours=6)), SENT, None, SENT + timedelta(days=1)),
        (StillClock(SENT - timedelta(seconds=2)), SENT, None, None),
        (StillClock(SENT), datetime.fromtimestamp(0, UTC), None, None),
    ],
)
def test_a_record_that_lay_in_the_topic_stands_where_it_was_sent(
    clock: Clock, sent: datetime, said_at: str | None, stands_at: datetime | None
) -> None:
    at = int(sent.timestamp() * 1000)
    assert told(clock=clock, timestamp=at, value=changed(said_at=said_at)).command.said_at == stands_at


def settings(**given: Any) -> Settings:
    return Settings(database_url=SecretStr("x"), kafka_bootstrap_servers="x", **given)


def test_the_first_topic_is_read_though_it_is_nobodys_and_further_ones_are_bound() -> None:
    assert [(topic.name, client) for topic, client in settings().inbound_clearances] == [("clearances-inbound", None)]
    bound = settings(clearance_clients={"clearances-inbound": "local", "payer": "payer"})
    assert {topic.name: client for topic, client in bound.all_inbound} == {
        "bookings-inbound": None,
        "clearances-inbound": "local",
        "payer": "payer",
    }


@pytest.mark.parametrize(
    "given",
    [
        {"clearance_clients": {"bookings-inbound": "local"}},
        {"inbound_clients": {"clearances-inbound": "local"}},
        {"clearance_clients": {"payer": ""}},
        {"clearance_clients": {"both": "local"}, "inbound_clients": {"both": "local"}},
    ],
)
def test_a_topic_brings_bookings_or_clearances(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**given)


def test_the_stack_makes_the_topics_that_are_bound() -> None:
    made = declared_here({"BOOKING_CLEARANCE_CLIENTS": '{"clearances-inbound": "a", "payer": "b"}'})
    assert [topic.name for topic in made].count("clearances-inbound") == 1
    assert made[-1].name == "payer"
    with pytest.raises(Misconfigured, match="BOOKING_CLEARANCE_CLIENTS"):
        declared_here({"BOOKING_CLEARANCE_CLIENTS": "[1]"})
