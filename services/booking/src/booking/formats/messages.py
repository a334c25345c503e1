"""Inbound topics, `bookings-inbound` first: the same formats as over HTTP, thousands of events at a time.

Each belongs to one client by the installation's settings (design §2). A header that names a client would be a bare
claim: whoever may write the topic could speak for every client.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from aiokafka import ConsumerRecord

from booking.appointments.counts import AnswerCounts
from booking.appointments.domain.batch import EventAnswer
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
from booking.profiles.current import KeptProfiles, Profiles
from booking.values.refusals import IGNORED_MESSAGE, Refused
from booking.values.warned import NO_KEY, Warned, beside
from chassis.delivery.consumer import Applied
from chassis.postgres.after_commit import after_commit
from chassis.postgres.database import Connection
from chassis.process.clock import Clock

type Record = ConsumerRecord[bytes, bytes]


class ReadRecord(NamedTuple):
    """A record, as far as it could be read.

    Attributes:
        client: Whose topic it is in; None: nobody's.
        event_id: Which event it is; None: nothing in it tells.
        command: What it asks for, or why it is refused.
        read_as: With whose rights it was read.
        again: Reads it with the rights that its client has now.
    """

    at: Position
    client: str | None
    event_id: str | None
    command: BookAppointment | Refused
    read_as: Client | None
    again: "Callable[[Client], ReadRecord]"


type Decode = Callable[[Record], ReadRecord]


class _Topic:
    """Reads the records of a topic that belongs to one client.

    Which source a record is of depends on its client's sources, which only the batch's transaction knows: a record is
    read as the client was last seen, and again where he has changed since.
    """

    def __init__(
        self, client_id: str | None, formats: Formats, clock: Clock, profiles: Profiles, *, replayed: bool
    ) -> None:
        self._client_id, self._formats, self._clock, self._profiles = client_id, formats, clock, profiles
        self._replayed = replayed
        self._seen = None if client_id is None else Client(client_id, (ALL,))

    def decode(self, record: Record) -> ReadRecord:
        return self._read(record, self._seen)

    def _again(self, record: Record, client: Client) -> ReadRecord:
        self._seen = client
        return self._read(record, client)

    def _read(self, record: Record, client: Client | None) -> ReadRecord:
        at, again = Position(record.topic, record.partition, record.offset), partial(self._again, record)
        format_ = self._formats.of_record(record.headers)
        try:
            command = self._command(client, format_, record)
            _check_key(command, record.key)
        except Refused as refusal:
            event_id = self._formats.event_id(record.value or b"", format_)
            return ReadRecord(at, self._client_id, event_id, refusal, client, again)
        arrived_at = datetime.fromtimestamp(record.timestamp / 1000, UTC) if self._replayed else None
        warnings = command.warnings if record.key is not None else (*command.warnings, Warned(NO_KEY))
        command = command._replace(arrived_at=arrived_at, arrived_offset=record.offset, warnings=warnings)
        return ReadRecord(at, self._client_id, command.key, command, client, again)

    def _command(self, client: Client | None, format_: Format, record: Record) -> BookAppointment:
        if client is None:
            raise Refused("NO_CLIENT", "this topic is bound to no client; name its client in BOOKING_INBOUND_CLIENTS")
        hints = Hints(client, self._clock.now(), profiles=self._profiles)
        parsed = parsed_by(format_.parse, record.value or b"", hints)
        if not parsed.is_one:
            raise Refused("WRONG_TYPE", "a record is one event, under the appointment's id as its key")
        (command,) = parsed.commands
        if isinstance(command, Refused):
            raise command
        if not isinstance(command, BookAppointment):
            raise Refused("UNSUPPORTED_MESSAGE", "a topic takes no messages of patients alone; HTTP and MLLP do")
        return command


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
    return _Topic(client_id, formats, clock, profiles or Profiles(), replayed=replayed).decode


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
        unread: The profiles of a process that reads them by nothing else: they are read with each batch.
    """

    def __init__(
        self,
        clock: Clock,
        rules: Rules,
        counts: AnswerCounts | None = None,
        *,
        replayed: bool = False,
        unread: KeptProfiles | None = None,
    ) -> None:
        self._clock = clock
        self._rules = rules
        self._counts = counts
        self._replayed = replayed
        self._unread = unread

    async def apply(self, connection: Connection, records: Sequence[ReadRecord]) -> Applied:
        """Take a batch in the consumer's transaction, and keep what became of each of its records.

        One that is of nobody's visit is counted, and nothing is to be done.
        """
        known = await client_keys.by_id(connection, {one.client for one in records if one.client is not None})
        if self._unread is not None:
            await self._unread.refresh(connection)
        records = [_read_now(one, known, anew=self._unread is not None) for one in records]
        asked = [(place, one.command) for place, one in enumerate(records)]
        refused = {place: command for place, command in asked if isinstance(command, Refused)}
        commands = {place: command for place, command in asked if isinstance(command, BookAppointment)}
        now = self._clock.now()
        answers = await accept(PostgresStore(connection), list(commands.values()), known, now, self._rules)
        by_place = dict(zip(commands, answers, strict=True))
        ignored = {place: why for place, why in refused.items() if why.code == IGNORED_MESSAGE}
        if self._counts is not None:
            after_commit(self._counts.answered, [*answers, *(EventAnswer("", refusal=one) for one in ignored.values())])
        refused = {place: why for place, why in refused.items() if place not in ignored}
        refused |= {place: one.refusal for place, one in by_place.items() if one.refusal is not None}
        taken = {place: Fate(a.key, a.result.value) for place, a in by_place.items() if a.result is not None}
        replayed = self._replayed
        return await fates.keep(connection, records, taken, refused, now, replayed=replayed, ignored=ignored)


def _read_now(record: ReadRecord, known: Mapping[str, Client], *, anew: bool) -> ReadRecord:
    """Return a record as it is read with the rights that its client has now."""
    if record.client is None:
        return record
    client = known.get(record.client)
    if client is None:
        said = record.command.warnings if isinstance(record.command, BookAppointment) else ()
        unknown = Refused("UNKNOWN_CLIENT", "no such client, or its rights were taken back")
        return record._replace(command=beside(unknown, said))
    return record if client == record.read_as and not anew else record.again(client)
