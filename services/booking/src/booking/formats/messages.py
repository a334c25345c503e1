"""Inbound topics, `bookings-inbound` first: the same formats as over HTTP, thousands of events at a time.

Each belongs to one client by the installation's settings (design §2). A header that names a client would be a bare
claim: whoever may write the topic could speak for every client.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from aiokafka import ConsumerRecord

from booking.appointments.counts import AnswerCounts
from booking.appointments.domain.batch import EventAnswer
from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.state import Result
from booking.appointments.handle import accept
from booking.appointments.store import PostgresStore, remember_refusals
from booking.door import client_keys
from booking.door.domain import ALL, Client
from booking.formats.choice import Formats
from booking.formats.port import Hints, parsed_by
from booking.patients.handle import Rules
from booking.values.refusals import Refused
from chassis.delivery.consumer import Applied
from chassis.postgres.after_commit import after_commit
from chassis.postgres.database import Connection
from chassis.process.clock import Clock
from chassis.process.errors import RejectedEvent

UNNAMED = ""
"""The source of a record that names none: it is its client's only one."""

type Decode = Callable[[ConsumerRecord[bytes, bytes]], BookAppointment]


def decode_of(client_id: str | None, formats: Formats, clock: Clock, *, replayed: bool = False) -> Decode:
    """Return what reads the records of a topic that belongs to one client, whatever they say of themselves.

    Args:
        client_id: Whose topic it is; None: nobody's, and every record is refused.
        replayed: The records are dead letters: each command keeps the place in time at which it first came.
    """

    def decode(record: ConsumerRecord[bytes, bytes]) -> BookAppointment:
        """Return the command in a record; its source is empty if it names none.

        Raises:
            RejectedEvent: The value is not acceptable; NO_CLIENT if the topic is nobody's; KEY_MISMATCH if the key is
                no name of the appointment, by which alone events of one appointment stay in order.
        """
        try:
            command = _command(client_id, formats, record, clock.now())
        except Refused as refusal:
            raise rejected(refusal) from None
        except UnicodeDecodeError:
            raise RejectedEvent("NOT_UTF8", "the key is not UTF-8") from None
        arrived_at = datetime.fromtimestamp(record.timestamp / 1000, UTC) if replayed else None
        return command._replace(arrived_at=arrived_at, arrived_offset=record.offset)

    return decode


def _command(
    client_id: str | None, formats: Formats, record: ConsumerRecord[bytes, bytes], now: datetime
) -> BookAppointment:
    if client_id is None:
        raise Refused("NO_CLIENT", "this topic is bound to no client; name its client in BOOKING_INBOUND_CLIENTS")
    unchecked = Client(client_id, (ALL,))  # what it may do is read in the batch's transaction
    parse, hints = formats.of_record(record.headers).parse, Hints(unchecked, now, source=UNNAMED)
    parsed = parsed_by(parse, record.value or b"", hints)
    if not parsed.is_one:
        raise Refused("WRONG_TYPE", "a record is one event, under the appointment's id as its key")
    (command,) = parsed.commands
    if isinstance(command, Refused):
        raise command
    if record.key is not None and not _is_named(command, record.key.decode()):
        raise Refused("KEY_MISMATCH", "the record's key is no name of its appointment")
    return command


def _is_named(command: BookAppointment, key: str) -> bool:
    return not {key, f"Appointment/{key}"}.isdisjoint((command.appointment, *command.other_names))


def rejected(refusal: Refused) -> RejectedEvent:
    """Return the refusal as the delivery core knows it."""
    at = f"{refusal.place}: " if refusal.place else ""
    return RejectedEvent(refusal.code, f"{at}{refusal.message}")


class Inbound:
    """Applies batches of received commands.

    Args:
        counts: Where answers are counted; None while dead letters are replayed.
    """

    def __init__(self, clock: Clock, rules: Rules, counts: AnswerCounts | None = None) -> None:
        self._clock = clock
        self._rules = rules
        self._counts = counts

    async def apply(self, connection: Connection, events: Sequence[BookAppointment]) -> Applied:
        """Take a batch in the consumer's transaction; refused ones go to the dead letters, and are kept by id."""
        known = await client_keys.by_id(connection, {command.client for command in events})
        commands: list[BookAppointment] = []
        places: list[int] = []
        refused: list[tuple[int, Refused]] = []
        for place, command in enumerate(events):
            try:
                commands.append(_allowed(command, known))
                places.append(place)
            except Refused as refusal:
                refused.append((place, refusal))
        answers = await accept(PostgresStore(connection), commands, known, self._clock.now(), self._rules)
        if self._counts is not None:
            after_commit(self._counts.answered, answers)
        refused += [(place, a.refusal) for place, a in zip(places, answers, strict=True) if a.refusal is not None]
        if refused:
            await remember_refusals(connection, [(events[place], why) for place, why in refused], self._clock.now())
        return _applied(dict(zip(places, answers, strict=True)), refused)


def _allowed(command: BookAppointment, known: dict[str, Client]) -> BookAppointment:
    client = known.get(command.client)
    if client is None:
        raise Refused("UNKNOWN_CLIENT", "no such client, or its rights were taken back")
    source = client.source(command.source or None)
    return command if source == command.source else command._replace(source=source)


def _applied(answers: Mapping[int, EventAnswer], refused: Sequence[tuple[int, Refused]]) -> Applied:
    results = [(place, answer.result) for place, answer in answers.items() if answer.refusal is None]
    return Applied(
        repeat=[place for place, result in results if result is Result.REPEAT],
        stale=[place for place, result in results if result is Result.STALE],
        rejected=[(place, rejected(why)) for place, why in sorted(refused, key=lambda pair: pair[0])],
    )
