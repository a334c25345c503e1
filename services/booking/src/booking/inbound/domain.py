"""Where a record of an inbound topic stands, and whose those topics are."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from booking.values.refusals import Refused


class Position(NamedTuple):
    """A record's place.

    Attributes:
        topic: Its name on the broker, with the installation's prefix.
    """

    topic: str
    partition: int
    offset: int


class RefusedEvent(NamedTuple):
    """An event that was refused and is kept for people to look at.

    Attributes:
        at: Its record; None: it came over HTTP.
    """

    client: str
    event_id: str
    why: Refused
    at: Position | None = None


class TakenRecord(NamedTuple):
    """A record whose event was taken.

    Attributes:
        event_id: None: it is of nobody's visit, and nothing was to be done.
        is_repeat: The event had been taken before.
    """

    at: Position
    client: str
    event_id: str | None
    is_repeat: bool


@dataclass(frozen=True, slots=True)
class InboundTopics:
    """The inbound topics of an installation.

    Attributes:
        owners: Name on the broker → the client's id; None: nobody's.
        prefix: What the installation's topics begin with.
        partitions: Of each.
        clearances: Those of clearances, by their names on the broker.
    """

    owners: Mapping[str, str | None]
    prefix: str
    partitions: int
    clearances: Collection[str] = ()

    def seen_by(self, client_id: str | None) -> dict[str, str | None]:
        """Return the topics that belong to this client; None: all of them."""
        return {name: whose for name, whose in self.owners.items() if client_id is None or whose == client_id}

    def full_name(self, name: str) -> str:
        """Return the name on the broker of a topic that is called with the prefix or without it."""
        return self.prefix + name.removeprefix(self.prefix)
