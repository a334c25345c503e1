"""What became of the records of an inbound topic: kept in the transaction of their batch, and told to its consumer."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from booking.inbound.domain import Position, RefusedEvent, TakenRecord
from booking.inbound.store import keep_refused, keep_taken
from booking.values.refusals import Refused
from chassis.delivery.consumer import Applied
from chassis.postgres.database import Connection
from chassis.process.errors import RejectedEvent


class Came(Protocol):
    """A record, as far as it could be read."""

    @property
    def at(self) -> Position:
        """Where it stands."""

    @property
    def client(self) -> str | None:
        """Whose topic it is in; None: nobody's."""

    @property
    def event_id(self) -> str | None:
        """Which event it is; None: nothing in it tells."""


class Fate(NamedTuple):
    """What became of an event that was taken.

    Attributes:
        result: `repeat`, `stale`, or that it was applied in some way.
    """

    event_id: str
    result: str


async def keep(
    connection: Connection,
    records: Sequence[Came],
    taken: Mapping[int, Fate],
    refused: Mapping[int, Refused],
    now: datetime,
    *,
    replayed: bool,
    of_clearances: bool = False,
    ignored: Collection[int] = (),
) -> Applied:
    """Keep what became of each record of a batch, and return it.

    Refused ones go to the dead letters, and are kept by their ids where these can be read.

    Args:
        taken: By the record's place in the batch.
        refused: The same.
        replayed: The records are dead letters: what became of one that is taken is the letter's to say.
        of_clearances: The events are clearances', not bookings'.
        ignored: Places of those that are of nobody's visit.
    """
    await keep_refused(connection, _refused_events(records, refused), now, of_clearances=of_clearances)
    if not replayed:
        told = ((records[place], fate) for place, fate in taken.items())
        kept = [TakenRecord(r.at, r.client or "", f.event_id, f.result == _REPEAT) for r, f in told]
        kept += [TakenRecord(records[one].at, records[one].client or "", None, is_repeat=False) for one in ignored]
        await keep_taken(connection, kept)
    return Applied(
        repeat=[place for place, fate in taken.items() if fate.result == _REPEAT],
        stale=[place for place, fate in taken.items() if fate.result == _STALE],
        rejected=[(place, rejected(why, records[place].event_id)) for place, why in sorted(refused.items())],
    )


_REPEAT, _STALE = "repeat", "stale"


def rejected(refusal: Refused, event_id: str | None = None) -> RejectedEvent:
    """Return the refusal as the delivery core knows it."""
    at = f"{refusal.place}: " if refusal.place else ""
    return RejectedEvent(refusal.code, f"{at}{refusal.in_words}", refusal.place, event_id)


def _refused_events(records: Sequence[Came], refused: Mapping[int, Refused]) -> list[RefusedEvent]:
    """Return those that can be asked by an id: of the others the dead letter tells."""
    pairs = ((records[place], why) for place, why in sorted(refused.items()))
    return [
        RefusedEvent(one.client, one.event_id, why, one.at)
        for one, why in pairs
        if one.client is not None and one.event_id is not None
    ]
