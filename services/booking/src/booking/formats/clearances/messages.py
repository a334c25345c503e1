"""Inbound topics of clearances, `clearances-inbound` first: our own events, thousands at a time.

They are bound to clients, keep the fate of each record, and are replayed as those of bookings (`formats.messages`).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from booking.clearances.store import PostgresClearances
from booking.door import client_keys
from booking.door.domain import ALL, Client
from booking.door.strict_json import loose_json, not_utf8
from booking.formats import fates
from booking.formats.clearances.handle import give_told
from booking.formats.clearances.plain import parse
from booking.formats.clearances.told import ToldClearance
from booking.formats.fates import Fate
from booking.formats.messages import Record
from booking.formats.port import Hints
from booking.inbound.domain import Position
from booking.values import texts
from booking.values.refusals import Refused
from booking.values.warned import NO_KEY, Warned, beside
from chassis.delivery.consumer import Applied
from chassis.postgres.database import Connection
from chassis.process.clock import Clock


class ReadClearance(NamedTuple):
    """A record, as far as it could be read.

    Attributes:
        client: Whose topic it is in; None: nobody's.
        event_id: Which event it is; None: nothing in it tells.
        told: What it says; or why it is refused.
    """

    at: Position
    client: str | None
    event_id: str | None
    told: ToldClearance | Refused


type Decode = Callable[[Record], ReadClearance]


def decode_of(client_id: str | None, clock: Clock) -> Decode:
    """Return what reads the records of a topic that belongs to one client; what cannot be read is its refusal.

    A record that does not say since when it is so was said when it was sent, however late it is read or replayed:
    what was taken back meanwhile at another door stays so.

    Args:
        client_id: Whose topic it is; None: nobody's, and every record is refused.
    """

    def decode(record: Record) -> ReadClearance:
        at = Position(record.topic, record.partition, record.offset)
        try:
            told = _told(client_id, record, clock)
        except Refused as refusal:
            return ReadClearance(at, client_id, event_id_in(record.value or b""), refusal)
        sent_at = _sent_at(record, clock)
        if sent_at is not None and told.command.said_at is None:
            told = told.said_at(sent_at)
        return ReadClearance(at, client_id, told.command.key, told)

    return decode


def _sent_at(record: Record, clock: Clock) -> datetime | None:
    """Return when a record was sent, in domain time; None: it does not tell, or is ahead of us."""
    if record.timestamp <= 0:
        return None
    now = clock.now()
    stepped = timedelta(seconds=round((now - clock.unstepped()).total_seconds()))
    at = datetime.fromtimestamp(record.timestamp / 1000, UTC) + stepped
    return at if at <= now else None


def _told(client_id: str | None, record: Record, clock: Clock) -> ToldClearance:
    if client_id is None:
        raise Refused("NO_CLIENT", "this topic is bound to no client; name its client in BOOKING_CLEARANCE_CLIENTS")
    unchecked = Client(client_id, (ALL,))  # what it may do is read in the batch's transaction
    try:
        told = parse(record.value or b"", Hints(unchecked, clock.now()))
        name = None if record.key is None else record.key.decode()
    except UnicodeDecodeError as error:
        raise not_utf8(error) from None
    if name is None:
        return told.warned(Warned(NO_KEY))
    if {name, f"Appointment/{name}"}.isdisjoint(told.visits):
        mismatch = Refused("KEY_MISMATCH", "the record's key is no name of its appointment")
        raise beside(mismatch, told.command.warnings)
    return told


def event_id_in(body: bytes) -> str | None:
    """Return which event a refused body is; None: nothing in it tells."""
    value = loose_json(body)
    found = value.get("event_id") if isinstance(value, dict) else None
    try:
        return texts.identifier(found, "event_id") if isinstance(found, str) else None
    except Refused:
        return None


class InboundClearances:
    """Applies batches of records.

    Args:
        replayed: The records are dead letters, one at a time: what became of them is the letter's to say.
    """

    def __init__(self, clock: Clock, *, replayed: bool = False) -> None:
        self._clock = clock
        self._replayed = replayed

    async def apply(self, connection: Connection, records: Sequence[ReadClearance]) -> Applied:
        """Take a batch in the consumer's transaction, and keep what became of each of its records."""
        known = await client_keys.by_id(connection, {one.client for one in records if one.client is not None})
        told: dict[int, ToldClearance] = {}
        refused: dict[int, Refused] = {}
        for place, record in enumerate(records):
            try:
                told[place] = _allowed(record.told, known)
            except Refused as refusal:
                refused[place] = refusal
        now = self._clock.now()
        given = await give_told(PostgresClearances(connection), list(told.values()), known, now)
        answers = dict(zip(told, given, strict=True))
        refused |= {place: answer.refusal for place, answer in answers.items() if answer.refusal is not None}
        taken = {place: Fate(a.key, a.result.value) for place, a in answers.items() if a.result is not None}
        replayed = self._replayed
        return await fates.keep(connection, records, taken, refused, now, replayed=replayed, of_clearances=True)


def _allowed(told: ToldClearance | Refused, known: Mapping[str, Client]) -> ToldClearance:
    if isinstance(told, Refused):
        raise told
    client = known.get(told.command.client)
    try:
        if client is None:
            raise Refused("UNKNOWN_CLIENT", "no such client, or its rights were taken back")
        return told.of_source(client.source(told.source or None))
    except Refused as refusal:
        raise beside(refusal, told.command.warnings) from None
