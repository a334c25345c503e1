"""What the timers ask of their owner, and what they tell him."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from reminders.timers.row import Row

Headers = tuple[tuple[str, bytes], ...]
"""Kafka record headers."""


@dataclass(frozen=True, slots=True)
class Source:
    """One record of the source topic, as it came."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Message:
    """One event to be published."""

    key: bytes | None
    value: bytes
    headers: Headers


class Outcome(StrEnum):
    """What became of a source record."""

    APPLIED = "applied"
    REPEAT = "repeat"
    STALE = "stale"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Change:
    """The answer to one record, or to one row whose time has come.

    Attributes:
        messages: Published and acknowledged before the row is written.
        row: The row to keep from now on; None keeps the one held.
        outcome: Of a record, for the counters.
        counts: Of a row whose time has come, for the counters: what became of its timers.
    """

    messages: tuple[Message, ...] = ()
    row: Row | None = None
    outcome: Outcome = Outcome.APPLIED
    counts: Mapping[str, int] = field(default_factory=dict)


class Owner(Protocol):
    """Who knows what the timers are for. Pure: the same questions get the same answers."""

    def on_record(self, source: Source, held: Row | None) -> Change:
        """Return what a source record changes, given the row held under its key."""
        ...

    def on_due(self, key: bytes, row: Row, now: datetime) -> Change:
        """Return what is published for a row with pending timers due at `now`, and the row afterwards.

        The row returned must hold no pending timer that is due at `now`.
        """
        ...
