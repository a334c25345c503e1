"""The table that the benchmark's worker finds: rows in the changelog, and changes that wait in the source.

Every row has two timers, 24 h and 2 h before its visit, both pending. Visits begin on whole five minutes of
eight hours a day over sixty days. Of the rows,

* those of the burst have their 24 h timer at one instant, `BURST`: nine tenths of the timers that are to fire
  then, and as many again as are cancelled beforehand (one tenth); the last tenth is moved there from elsewhere;
* those of the trickle have theirs one after the other from `TRICKLE` on, a tenth of a second apart;
* the others have them later.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from random import Random
from uuid import UUID

from bench.reminders.place import PARTITIONS
from bench.reminders.writing import Item, partition_of
from reminders.planning.domain.schedule import policy_of
from reminders.timers.row import Row, pack
from reminders.timers.terms import key_of
from schemas import wire
from schemas.appointments import APPOINTMENT_CHANGED, Appointment, ReminderPolicy, ReminderRule, SendWindow, Status
from schemas.envelope import Envelope
from schemas.hours import hours_of
from schemas.instants import micros

NOW = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)
"""Domain time of a run's beginning."""

BURST = NOW + timedelta(hours=1)
TRICKLE = NOW + timedelta(hours=3)
TRICKLE_ROWS = 600
TRICKLE_EVERY = timedelta(seconds=0.1)
FIRST_DAY = NOW + timedelta(days=10)
DAYS, SLOTS = 60, 96
LEAD = timedelta(hours=24)
ZONE = "Europe/London"
TERMS = 1
_SET_AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
_POLICY = ReminderPolicy(
    policy_id="default",
    rules=(
        ReminderRule(slug="24h", lead_hours=24, in_force_since=_SET_AT),
        ReminderRule(slug="2h", lead_hours=2, in_force_since=_SET_AT),
    ),
    window=SendWindow(opens=time.min, closes=time.max),  # a run may be at night
)


@dataclass(slots=True)
class Table:
    """The rows, made reproducibly.

    Attributes:
        rows: How many.
        burst: Timers that are to fire at `BURST`.
        changes: How many moves and cancellations wait in the source, those of the burst included.
        moved: Row numbers moved into the burst.
        cancelled: Row numbers of the burst that are cancelled beforehand.
        staying: Row numbers of the burst that nothing happens to.
    """

    rows: int
    burst: int
    changes: int = 0
    seed: int = 4
    ids: list[UUID] = field(init=False)
    moved: range = field(init=False)
    cancelled: range = field(init=False)
    staying: range = field(init=False)

    def __post_init__(self) -> None:
        random, tenth = Random(self.seed), self.burst // 10
        self.ids = [UUID(int=random.getrandbits(128), version=4) for _ in range(self.rows)]
        self.staying = range(self.burst - tenth)
        self.cancelled = range(self.burst - tenth, self.burst)
        self.moved = range(self.burst + TRICKLE_ROWS, self.burst + TRICKLE_ROWS + tenth)

    @property
    def trickle(self) -> range:
        """Row numbers of the trickle."""
        return range(self.burst, self.burst + TRICKLE_ROWS)

    def expected(self) -> dict[bytes, int]:
        """Return key → version of exactly the appointments that the burst is to hand over."""
        found = {self.key(number): 1 for number in self.staying}
        return found | {self.key(number): 2 for number in self.moved}

    def key(self, number: int) -> bytes:
        """Return the source's key of a row."""
        return str(self.ids[number]).encode()

    def changelog(self) -> list[list[Item]]:
        """Return the changelog by partition: the terms, then the rows."""
        terms = policy_of(ZONE, _POLICY.rules, hours_of(_POLICY.window)).terms
        parts: list[list[Item]] = [[(key_of(TERMS), terms, [])] for _ in range(PARTITIONS)]
        for number, (identity, start) in enumerate(zip(self.ids, self._starts(), strict=True)):
            row = Row(1, 1, micros(start - LEAD), micros(start), TERMS, b"\0")
            parts[partition_of(self.key(number))].append((identity.bytes, pack(row), []))
        return parts

    def waiting(self) -> Iterator[Item]:
        """Yield the changes: those of the burst among moves and cancellations of others, half and half."""
        others = range(self.moved.stop, self.rows)
        numbers = [*self.moved, *self.cancelled]
        numbers += Random(self.seed).sample(others, max(0, min(self.changes - len(numbers), len(others))))
        Random(self.seed).shuffle(numbers)
        for number in numbers:
            if number in self.moved:
                yield self._change(number, Status.BOOKED, BURST + LEAD)
            elif number in self.cancelled:
                yield self._change(number, Status.CANCELLED, BURST + LEAD)
            else:
                start = FIRST_DAY + timedelta(days=number % DAYS, minutes=5 * (number % SLOTS))
                yield self._change(number, Status.CANCELLED if number % 2 else Status.BOOKED, start)

    def _starts(self) -> Iterator[datetime]:
        random = Random(self.seed + 1)
        for number in range(self.rows):
            if number < self.burst:
                yield BURST + LEAD
            elif number in self.trickle:
                yield TRICKLE + LEAD + (number - self.burst) * TRICKLE_EVERY
            else:
                yield FIRST_DAY + timedelta(days=random.randrange(DAYS), minutes=5 * random.randrange(SLOTS))

    def _change(self, number: int, status: Status, starts_at: datetime) -> Item:
        identity = self.ids[number]
        body = Appointment(
            appointment_id=identity,
            version=2,
            status=status,
            patient_id=UUID(int=number, version=4),
            clinic_id=f"CL{number % 50:03d}",
            provider_id=UUID(int=number % 200, version=4),
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=30),
            zone=ZONE,
            schedule_gen=2 if status is Status.BOOKED else 1,
            schedule_set_at=_SET_AT,
            first_booked_at=_SET_AT,
            policy=_POLICY,
            event_time=_SET_AT,
            ingest_time=_SET_AT,
            source="sim",
        )
        envelope = Envelope(
            str(wire.event_id(identity, 2)), APPOINTMENT_CHANGED, "attend/booking", str(identity), _SET_AT
        )
        return self.key(number), wire.encode(body), list(envelope.headers())


def sizes(by_partition: Sequence[Sequence[Item]]) -> tuple[int, int]:
    """Return how many records there are, and the bytes of their keys and values."""
    items = [item for part in by_partition for item in part]
    return len(items), sum(len(key) + len(value or b"") for key, value, _ in items)
