"""Inbound topics, `bookings-inbound` first: the same formats as over HTTP, thousands of events at a time.

Each belongs to one client by the installation's settings (design §2). A header that names a client would be a bare
claim: whoever may write the topic could speak for every client.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from aiokafka import ConsumerRecord

from booking.appointments.counts import AnswerCounts
from booking.appointments.domain.command import BookAppointment
from booking.appointments.handle import accept
from booking.appointments.store import PostgresStore
from booking.door import client_keys
from booking.door.domain import ALL, Client
from booking.formats import fates
from booking.formats.choice import Formats
from booking.formats.fates import Fate
from booking.formats.port import Format, Hints, parsed_by
from booking.inbound.domain import Position
from booking.patients.handle import Rules
from booking.profiles.current import Profiles
from booking.values.refusals import Refused
from booking.values.warned import NO_KEY, Warned, beside
from chassis.delivery.consumer import Applied
from chassis.postgres.after_commit import after_commit
from chassis.postgres.database import Connection
from chassis.process.clock import Clock

UNNAMED = ""
"""The source of a record that names none: it is its client's only one."""

type Record = ConsumerRecord[bytes, bytes]


class ReadRecord(NamedTuple):
    """A record, as far as it could be read.

    Attributes:
        client: Whose topic it is in; None: nobody's.
        event_id: Which event it is; None: nothing in it tells.
        command: What it asks for, with an empty source if it names none; or why it is refused.
    """

    at: Position
    client: str | None
    event_id: str | None
    command: BookAppointment | Refused


type Decode = Callable[[Record], ReadRecord]


def decode_of(
    client_id: str | None, formats: Formats, clock: Clock, profiles: Profiles | None = None, *, replayed: bool = False
) -> Decode:
    """Return what reads the records of a topic that belongs to one client, whatever they say of themselves.

    What cannot be read is no error: it stands as its refusal, beside the event id where one can be found, so that what
    became of it is kept with what became of the others. NO_CLIENT: the topic is nobody's. KEY_MISMATCH: the key is no
    name of the appointment, by which alone events of one appointment stay in order.

    Args:
        client_id: Whose topic it is; None: nobody's, and every record is refused.
        profiles: What each source means by what it sends; None: all defaults.
        replayed: The records are dead letters: each command keeps the place in time at which it first came.
    """
    known = profiles or Profiles()

    def decode(record: Record) -> ReadRecord:
        at = Position(record.topic, record.partition, record.offset)
        format_ = formats.of_record(record.headers)
        try:
            command = _command(client_id, format_, record, clock.now(), known)
            _check_key(command, record.key)
        except Refused as refusal:
            return ReadRecord(at, client_id, formats.event_id(record.value or b"", format_), refusal)
        arrived_at = datetime.fromtimestamp(record.timestamp / 1000, UTC) if replayed else None
        warnings = command.warnings if record.key is not None else (*command.warnings, Warned(NO_KEY))
        command = command._replace(arrived_at=arrived_at, arrived_offset=record.offset, warnings=warnings)
        return ReadRecord(at, client_id, command.key, command)

    return decode


def _command(
    client_id: str | None, format_: Format, record: Record, now: datetime, profiles: Profiles
) -> BookAppointment:
    if client_id is None:
        raise Refused("NO_CLIENT", "this topic is bound to no client; name its client in BOOKING_INBOUND_CLIENTS")
    unchecked = Client(client_id, (ALL,))  # what it may do is read in the batch's transaction
    hints = Hints(unchecked, now, source=UNNAMED, profiles=profiles)
    parsed = parsed_by(format_.parse, record.value or b"", hints)
    if not parsed.is_one:
        raise Refused("WRONG_TYPE", "a record is one event, under the appointment's id as its key")
    (command,) = parsed.commands
    if isinstance(command, Refused):
        raise command
    return command


def _check_key(command: BookAppointment, key: bytes | None) -> None:
    if key is None:
        return
    try:
        name = key.decode()
    except UnicodeDecodeError:
        raise Refused("NOT_UTF8", "the key is not UTF-8") from None
    names = (command.appointment, *command.other_names)
    if {name, f"Appointment/{name}"}.isdisjoint(names) and name not in {one.rpartition("|")[2] for one in names}:
        mismatch = Refused("KEY_MISMATCH", "the record's key is no name of its appointment")
        raise beside(mismatch, command.warnings)


class Inbound:
    """Applies batches of records.

    Args:
        counts: Where answers are counted; None while dead letters are replayed.
        replayed: The records are dead letters, one at a time: what became of them is the letter's to say.
    """

    def __init__(
        self, clock: Clock, rules: Rules, counts: AnswerCounts | None = None, *, replayed: bool = False
    ) -> None:
        self._clock = clock
        self._rules = rules
        self._counts = counts
        self._replayed = replayed

    async def apply(self, connection: Connection, records: Sequence[ReadRecord]) -> Applied:
        """Take a batch in the consumer's transaction, and keep what became of each of its records."""
        known = await client_keys.by_id(connection, {one.client for one in records if one.client is not None})
        commands: list[BookAppointment] = []
        places: list[int] = []
        refused: dict[int, Refused] = {}
        for place, record in enumerate(records):
            try:
                commands.append(_allowed(record.command, known))
                places.append(place)
            except Refused as refusal:
                refused[place] = refusal
        now = self._clock.now()
        answers = await accept(PostgresStore(connection), commands, known, now, self._rules)
        if self._counts is not None:
            after_commit(self._counts.answered, answers)
        refused |= {place: a.refusal for place, a in zip(places, answers, strict=True) if a.refusal is not None}
        taken = {p: Fate(a.key, a.result.value) for p, a in zip(places, answers, strict=True) if a.result is not None}
        return await fates.keep(connection, records, taken, refused, now, replayed=self._replayed)


def _allowed(command: BookAppointment | Refused, known: Mapping[str, Client]) -> BookAppointment:
    if isinstance(command, Refused):
        raise command
    client = known.get(command.client)
    try:
        if client is None:
            raise Refused("UNKNOWN_CLIENT", "no such client, or its rights were taken back")
        source = client.source(command.source or None)
    except Refused as refusal:
        raise beside(refusal, command.warnings) from None
    return command if source == command.source else command._replace(source=source)
