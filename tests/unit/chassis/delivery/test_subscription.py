"""What cannot be read becomes a dead letter with its bytes and position; the rest goes on (G8)."""

import pytest
from aiokafka import ConsumerRecord

from chassis.delivery.consumer import Applied, Subscription
from chassis.delivery.subscription import decode_all
from chassis.postgres.database import Connection
from chassis.process.errors import RejectedEvent, Unavailable
from schemas.envelope import Received
from schemas.topics import APPOINTMENTS
from schemas.wire import Undecodable

TYPED: Received = (("ce_type", b"x.v1"),)


def record(offset: int, value: bytes, headers: Received = TYPED) -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord("t", 3, offset, 0, 0, b"key", value, None, 3, len(value), headers)


RAISED: dict[bytes | None, Exception] = {
    b"integer": TypeError("Integer exceeds 64-bit range"),
    b"null header": AttributeError("'NoneType' object has no attribute 'decode'"),
    b"deep": RecursionError(),
    b"key": KeyError("x"),
    b"codec": UnicodeDecodeError("utf-8", b"", 0, 1, "?"),
    b"group": ExceptionGroup("g", [ZeroDivisionError()]),
}


def read(record: ConsumerRecord[bytes, bytes]) -> bytes:
    if record.value == b"unreadable":
        raise Undecodable("INVALID", "body: json_invalid")
    if record.value == b"refused":
        raise RejectedEvent("NO_SUCH_CLINIC", "the clinic is not known")
    if record.value in RAISED:
        raise RAISED[record.value]
    return record.value or b""


async def nothing(_connection: Connection, _events: object) -> Applied:
    return Applied()


SUBSCRIPTION = Subscription(APPOINTMENTS, read, nothing)


def test_events_stay_in_order_beside_their_records() -> None:
    decoded = decode_all(SUBSCRIPTION, [record(4, b"a"), record(5, b"b")])

    assert decoded.events == [b"a", b"b"]
    assert [r.offset for r in decoded.records] == [4, 5]
    assert decoded.dead == []


def test_the_unreadable_and_the_refused_are_dead_with_bytes_position_headers_and_code() -> None:
    records = [record(4, b"a"), record(5, b"unreadable"), record(6, b"refused"), record(7, b"b")]

    decoded = decode_all(SUBSCRIPTION, records)

    assert decoded.events == [b"a", b"b"]
    assert [r.offset for r in decoded.records] == [4, 7]
    assert [(d.partition, d.offset, d.value, d.code) for d in decoded.dead] == [
        (3, 5, b"unreadable", "INVALID"),
        (3, 6, b"refused", "NO_SUCH_CLINIC"),
    ]
    assert decoded.dead[0].headers == (("ce_type", b"x.v1"),)


@pytest.mark.parametrize("value", [value for value in RAISED if value is not None])
def test_whatever_reading_one_record_raises_makes_that_record_alone_a_dead_letter(value: bytes) -> None:
    decoded = decode_all(SUBSCRIPTION, [record(4, b"a"), record(5, value), record(6, b"b")])

    assert decoded.events == [b"a", b"b"]
    assert [r.offset for r in decoded.records] == [4, 6]
    assert [(d.offset, d.value, d.code, d.message) for d in decoded.dead] == [
        (5, value, "INTERNAL", type(RAISED[value]).__name__)
    ]


def test_a_header_name_that_is_no_text_makes_a_dead_letter_that_says_which_header() -> None:
    strange = record(5, b"x", (("ce_type", b"x.v1"), ("caf\udce9", b"y")))

    decoded = decode_all(SUBSCRIPTION, [record(4, b"a"), strange, record(6, b"b", (("café", b""), ("", None)))])

    assert decoded.events == [b"a", b"b"]
    (dead,) = decoded.dead
    assert (dead.offset, dead.code, dead.message) == (5, "HEADER_NOT_UTF8", "the name of header 1 is not UTF-8")
    assert dead.headers == strange.headers


def test_what_nothing_can_be_read_without_is_no_records_fault() -> None:
    def timeless(record: ConsumerRecord[bytes, bytes]) -> bytes:
        raise Unavailable("CLOCKS_DIFFER", "no clock to go by")

    with pytest.raises(Unavailable, match="CLOCKS_DIFFER"):
        decode_all(Subscription(APPOINTMENTS, timeless, nothing), [record(4, b"a"), record(5, b"b")])
