"""Inbound topics, `bookings-inbound` first: the same bodies as over HTTP, thousands at a time.

Each belongs to one client by the installation's settings (design §2). A header that names a client would be a bare
claim: whoever may write the topic could speak for every client.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from aiokafka import ConsumerRecord

from booking.appointments import statements
from booking.appointments.counts import AnswerCounts
from booking.appointments.domain.batch import Answer
from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.state import Result
from booking.appointments.handle import Rules, accept
from booking.appointments.store import PostgresStore
from booking.door import client_keys
from booking.door.domain import ALL, Client
from booking.door.strict_json import strict_json
from booking.formats.plain.format import event
from booking.formats.port import Hints
from booking.values.refusals import Refused
from chassis.after_commit import after_commit
from chassis.clock import Clock
from chassis.consumer import Applied
from chassis.database import Connection
from chassis.errors import RejectedEvent


class Received(NamedTuple):
    """An order with the source it named, which is checked once its client is known."""

    order: BookAppointment
    names_source: bool


type Decode = Callable[[ConsumerRecord[bytes, bytes]], Received]


def decode_of(client_id: str | None, *, replayed: bool = False) -> Decode:
    """Return what reads the records of a topic that belongs to one client, whatever they say of themselves.

    Args:
        client_id: Whose topic it is; None: nobody's, and every record is refused.
        replayed: The records are dead letters: each order keeps the place in time at which it first came.
    """

    def decode(record: ConsumerRecord[bytes, bytes]) -> Received:
        """Return the order in a record.

        Raises:
            RejectedEvent: The value is not acceptable; NO_CLIENT if the topic is nobody's; KEY_MISMATCH if the key is
                not the appointment's id, by which alone events of one appointment stay in order.
        """
        try:
            received = _received(client_id, record)
        except Refused as refusal:
            raise rejected(refusal) from None
        except UnicodeDecodeError:
            raise RejectedEvent("NOT_UTF8", "the key is not UTF-8") from None
        arrived_at = datetime.fromtimestamp(record.timestamp / 1000, UTC) if replayed else None
        order = received.order._replace(arrived_at=arrived_at, arrived_offset=record.offset)
        return received._replace(order=order)

    return decode


def _received(client_id: str | None, record: ConsumerRecord[bytes, bytes]) -> Received:
    if client_id is None:
        raise Refused("NO_CLIENT", "this topic is bound to no client; name its client in BOOKING_INBOUND_CLIENTS")
    value = strict_json(record.value or b"")
    named = isinstance(value, dict) and value.get("source") is not None
    order = event(value, Hints(Client(client_id, (ALL,)), None if named else ""))
    if record.key is not None and record.key.decode() != order.appointment:
        raise Refused("KEY_MISMATCH", "the record's key is not the appointment's id")
    return Received(order, named)


def rejected(refusal: Refused) -> RejectedEvent:
    """Return the refusal as the delivery core knows it."""
    at = f"{refusal.place}: " if refusal.place else ""
    return RejectedEvent(refusal.code, f"{at}{refusal.message}")


class Inbound:
    """Applies batches of received orders.

    Args:
        clock: Domain time.
        rules: The installation's choices.
        counts: Where answers are counted; None while dead letters are replayed.
    """

    def __init__(self, clock: Clock, rules: Rules, counts: AnswerCounts | None = None) -> None:
        self._clock = clock
        self._rules = rules
        self._counts = counts

    async def apply(self, connection: Connection, events: Sequence[Received]) -> Applied:
        """Take a batch in the consumer's transaction; refused ones go to the dead letters, and are kept by id."""
        known = await client_keys.by_id(connection, {received.order.client for received in events})
        orders: list[BookAppointment] = []
        places: list[int] = []
        refused: list[tuple[int, Refused]] = []
        for place, received in enumerate(events):
            try:
                orders.append(_allowed(received, known))
                places.append(place)
            except Refused as refusal:
                refused.append((place, refusal))
        answers = await accept(PostgresStore(connection), orders, known, self._clock.now(), self._rules)
        if self._counts is not None:
            after_commit(self._counts.answered, answers)
        refused += [(place, a.refusal) for place, a in zip(places, answers, strict=True) if a.refusal is not None]
        if refused:
            await _keep(connection, [(events[place].order, why) for place, why in refused], self._clock)
        return _told(dict(zip(places, answers, strict=True)), refused)


def _allowed(received: Received, known: dict[str, Client]) -> BookAppointment:
    order = received.order
    client = known.get(order.client)
    if client is None:
        raise Refused("UNKNOWN_CLIENT", "no such client, or its rights were taken back")
    source = client.source(order.source if received.names_source else None)
    return order if source == order.source else order._replace(source=source)


async def _keep(connection: Connection, refused: Sequence[tuple[BookAppointment, Refused]], clock: Clock) -> None:
    rows: list[tuple[Any, ...]] = [(o.client, o.key, r.code, r.message, r.place) for o, r in refused]
    await connection.execute(statements.REMEMBER_REFUSALS, *map(list, zip(*rows, strict=True)), clock.now())


def _told(answers: Mapping[int, Answer], refused: Sequence[tuple[int, Refused]]) -> Applied:
    results = [(place, answer.result) for place, answer in answers.items() if answer.refusal is None]
    return Applied(
        repeat=[place for place, result in results if result is Result.REPEAT],
        stale=[place for place, result in results if result is Result.STALE],
        rejected=[(place, rejected(why)) for place, why in sorted(refused, key=lambda pair: pair[0])],
    )
