"""What the timers ask of their owner, and what they tell him."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

type Headers = Sequence[tuple[str, bytes]]
"""Kafka record headers."""

type Message = tuple[bytes | None, bytes | None, Headers]
"""Key, value (None is a tombstone) and headers of one record to be written."""


class Source(Protocol):
    """One record of a source topic, as it came (aiokafka's `ConsumerRecord` is one)."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Outcome(StrEnum):
    """What became of a source record."""

    APPLIED = "applied"
    REPEAT = "repeat"
    STALE = "stale"
    DEAD = "dead"


class Terms(Protocol):
    """The terms of one partition: see `terms.TermsTable`."""

    def number(self, content: bytes) -> int:
        """Return the number of these terms."""

    def content(self, number: int) -> bytes:
        """Return what the terms of a row say."""


@dataclass(slots=True)
class Taken:
    """What a batch of source records changes: all of it becomes durable at once.

    Attributes:
        faults: How many are dead for what is a fault of ours, in a topic that we write ourselves.
    """

    messages: list[Message] = field(default_factory=list)
    rows: dict[bytes, bytes] = field(default_factory=dict)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    faults: int = 0


@dataclass(slots=True)
class Fired:
    """What becomes of a batch of rows whose time has come.

    Attributes:
        rows: The packed rows afterwards, one for each row given that is not in `aside`; none has a timer due any more.
        aside: By key, why nothing can be said of a row: the class of what its own content raised.
    """

    messages: list[Message] = field(default_factory=list)
    rows: dict[bytes, bytes] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    aside: dict[bytes, str] = field(default_factory=dict)


class Owner(Protocol):
    """Who knows what the timers are for. Pure: the same questions get the same answers."""

    def take(
        self, records: Sequence[Source], held: Callable[[bytes], bytes | None], terms: Terms, taken: Taken | None = None
    ) -> Taken:
        """Return what records of one partition change, folded in their order.

        Args:
            taken: What the records before these change; it is added to, and returned.
        """

    def prepare(self, key: bytes, packed: bytes, terms: Terms) -> Any:
        """Return something that makes the firing of this row cheap when its time comes; raises nothing a row causes."""

    def fire(
        self, due: Sequence[tuple[bytes, bytes]], prepared: dict[bytes, Any], terms: Terms, now: datetime
    ) -> Fired:
        """Return what is published for rows with pending timers due at `now`, and the rows afterwards.

        Whatever one row raises is that row's: it is set aside, and the others fire.
        """

    def expect(self, due: Sequence[tuple[bytes, bytes]], terms: Terms, now: datetime) -> Counter[str]:
        """Return the counts that `fire` would give, without doing it (B3)."""
