"""What cannot be read becomes a dead letter with its bytes and position; the rest goes on (G8)."""

from aiokafka import ConsumerRecord

from chassis.consumer import Applied, Subscription
from chassis.database import Connection
from chassis.errors import RejectedEvent
from chassis.subscription import decode_all
from schemas.topics import APPOINTMENTS
from schemas.wire import Undecodable


def record(offset: int, value: bytes) -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord("t", 3, offset, 0, 0, b"key", value, None, 3, len(value), (("ce_type", b"x.v1"),))


def read(record: ConsumerRecord[bytes, bytes]) -> bytes:
    if record.value == b"unreadable":
        raise Undecodable("INVALID", "body: json_invalid")
    if record.value == b"refused":
        raise RejectedEvent("NO_SUCH_CLINIC", "the clinic is not known")
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
