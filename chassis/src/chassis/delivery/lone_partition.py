"""One partition's records by themselves: how many are tried next, how long they wait, whether one is the cause."""

from chassis.delivery.batch import Part
from chassis.kafka.halt import Halt
from chassis.postgres.database import CutShort
from chassis.postgres.portion import Portion
from chassis.process.backoff import Backoff
from chassis.process.errors import Unavailable

LONE_TRIES = 3
"""How often a record is cut short by itself before it is taken for the cause, if others of its topic took effect
between the last two. With the timeout of 10 s half a minute, in which those others wait for each try."""


class LoneRecord:
    """What is known of the record that was last cut short by itself: whether it is the cause.

    Attributes:
        message: How often it was cut short, and by what; empty while none was.
    """

    def __init__(self) -> None:
        self.message = ""
        self._end = -1
        self._cuts = 0
        self._passed = 0
        self._others_pass = False

    def cut(self, part: Part, error: CutShort, passed: int) -> None:
        """Learn that a part's one record was cut short, when so many events of its topic had taken effect."""
        if self._end != part.end:
            self._end, self._cuts, self._passed = part.end, 0, passed
        self._cuts += 1
        self._others_pass, self._passed = passed > self._passed, passed
        self.message = f"{error.message}, {self._cuts} times with this record alone"

    def is_suspect(self, part: Part) -> bool:
        """Say whether this part is that record, and was cut short so often that it is the cause if others pass."""
        return self._end == part.end and self._cuts >= LONE_TRIES

    def is_cause(self, part: Part) -> bool:
        """Say whether this part is that record, and others took effect between its last two tries."""
        return self.is_suspect(part) and self._others_pass


class Alone:
    """What was learnt from trying one partition's records: here every try is told of, and nowhere else.

    Args:
        portion: Its topic's. The partition's own begins with as many at its first try; others that get through more
            do not make it grow.
    """

    def __init__(self, portion: Portion, service: str) -> None:
        self._backoff = Backoff()
        self._portion = portion
        self._service = service
        self._own: Portion | None = None
        self._record = LoneRecord()

    @property
    def failures(self) -> int:
        """How many tries failed in a row."""
        return self._backoff.failures

    @property
    def pause_s(self) -> float:
        """How long to wait now, in seconds."""
        return self._backoff.pause_s()

    def next_of(self, left: Part) -> Part:
        """Return what is to be tried of the records that are left."""
        self._own = self._own or Portion(begin=self._portion.records)
        return left.first(self._own.records)

    def succeeded(self, part: Part, took_s: float) -> None:
        """Learn that this part went through, in so many seconds."""
        self._backoff.succeeded()
        for portion in self._portions:
            portion.succeeded(len(part.records), took_s)

    def failed(self, part: Part, error: Unavailable, passed: int) -> tuple[str, bool]:
        """Learn that this part did not go through, when so many events of its topic had taken effect.

        Returns:
            Why the partition waits, with a person's way out if there may be no other; and whether it is to be logged.
        """
        tells = self._backoff.failed()
        for portion in self._portions:
            portion.failed(len(part.records))
        if isinstance(error, CutShort) and len(part.records) == 1:
            self._record.cut(part, error, passed)
        if not self._record.is_suspect(part):
            return f"{part.tp.topic}[{part.tp.partition}] waits: {error.message}", tells
        why = f"{self._record.message}. It is a dead letter as soon as others pass"
        return Halt(part.records[0].offset, why, part.end).text(part.tp, self._service), tells

    def verdict(self, part: Part) -> str | None:
        """Return why this part's one record is the cause, if it is: cut short so often, and others pass."""
        return self._record.message if self._record.is_cause(part) else None

    @property
    def _portions(self) -> list[Portion]:
        return [self._portion] if self._own is None else [self._portion, self._own]
