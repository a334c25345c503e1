"""How the made-up service reads and applies its one topic, `orders`."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from aiokafka import ConsumerRecord

from chassis.delivery.consumer import Applied, Subscription
from chassis.postgres.database import Connection
from chassis.process.errors import RejectedEvent
from schemas.topics import Topic
from schemas.wire import Undecodable

ORDERS = Topic("orders", "booking", "entity", 2)

_KEEP = """
INSERT INTO entity AS held (id, version)
SELECT id, version FROM unnest($1::text[], $2::int[]) AS new (id, version) ORDER BY id
ON CONFLICT (id) DO UPDATE SET version = excluded.version WHERE held.version < excluded.version
RETURNING id, version
"""
_COUNT = """
INSERT INTO effect (topic, partition, "offset", entity)
SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::text[])
"""


@dataclass(frozen=True, slots=True)
class Order:
    """One event: a version of an entity, and what the test wants to happen with it."""

    topic: str
    partition: int
    offset: int
    entity: str
    version: int
    wish: str


def decode(record: ConsumerRecord[bytes, bytes]) -> Order:
    """Read one event.

    Raises:
        Undecodable: It is no JSON object of this shape.
    """
    try:
        body = orjson.loads(record.value or b"")
        wish = body.get("wish", "")
        return Order(record.topic, record.partition, record.offset, body["entity"], body["version"], wish)
    except (ValueError, KeyError, AttributeError):
        raise Undecodable("INVALID", "body: not an order") from None


async def apply(connection: Connection, orders: Sequence[Order]) -> Applied:
    """Keep the newest version of each entity and write down every event that took effect."""
    if any(order.wish == "crash" for order in orders):
        raise ZeroDivisionError("a fault in the service, canary +44 7700 900123")
    refused = tuple((i, RejectedEvent("NO", "refused")) for i, order in enumerate(orders) if order.wish == "refuse")
    if any(order.wish == "raise" for order in orders):
        raise RejectedEvent("RAISED", "refused by raising")
    newest: dict[str, tuple[int, Order]] = {}
    for place, order in enumerate(orders):
        held = newest.get(order.entity)
        if order.wish != "refuse" and (held is None or held[1].version < order.version):
            newest[order.entity] = (place, order)
    rows = await connection.fetch(_KEEP, list(newest), [order.version for _, order in newest.values()])
    places, kept = [newest[row["id"]][0] for row in rows], [newest[row["id"]][1] for row in rows]
    await connection.execute(
        _COUNT, [o.topic for o in kept], [o.partition for o in kept], [o.offset for o in kept], [o.entity for o in kept]
    )
    others = {*places, *(place for place, _ in refused)}
    return Applied(stale=[place for place in range(len(orders)) if place not in others], rejected=refused)


SUBSCRIPTION = Subscription(ORDERS, decode, apply)
