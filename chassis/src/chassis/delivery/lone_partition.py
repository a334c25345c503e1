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


class Alone:
    """What was learnt from trying one partition's records.

    Args:
        portion: Its topic's. The partition's own begins with as many at its first try; others that get through more
            do not make it grow.
    """

    def __init__(self, portion: Portion, service: str) -> None:
        self.backoff = Backoff()
        self._portion = portion
        self._service = service
        self._own: Portion | None = None
        self._lone = -1
        self._cuts = 0
        self._passed = 0
        self._others_pass = False
        self._message = ""

    @property
    def portions(self) -> list[Portion]:
        """Those that learn from a try."""
        return [self._portion] if self._own is None else [self._portion, self._own]

    def next_of(self, left: Part) -> Part:
        """Return what is to be tried of the records that are left."""
        self._own = self._own or Portion(begin=self._portion.records)
        return left.first(self._own.records)

    def failed(self, part: Part, error: Unavailable, passed: int) -> str:
        """Learn that this part did not go through, when so many events of its topic had taken effect.

        Returns:
            Why the partition waits, with a person's way out if there may be no other.
        """
        if isinstance(error, CutShort) and len(part.records) == 1:
            if self._lone != part.end:
                self._lone, self._cuts, self._passed = part.end, 0, passed
            self._cuts += 1
            self._others_pass, self._passed = passed > self._passed, passed
            self._message = f"{error.message}, {self._cuts} times with this record alone"
        if self._lone != part.end or self._cuts < LONE_TRIES:
            return f"{part.tp.topic}[{part.tp.partition}] waits: {error.message}"
        return Halt(
            part.records[0].offset, f"{self._message}. It is a dead letter as soon as others pass", part.end
        ).text(part.tp, self._service)

    def verdict(self, part: Part) -> str | None:
        """Return why this part's one record is the cause, if it is: cut short so often, and others pass."""
        guilty = self._lone == part.end and self._cuts >= LONE_TRIES and self._others_pass
        return self._message if guilty else None
