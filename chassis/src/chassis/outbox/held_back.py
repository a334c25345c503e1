"""Partitions that Kafka does not acknowledge: passed over, and tried again by themselves, ever more rarely. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from chassis.kafka.producer import Place

FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 16.0
FIRST_PATIENCE_S = 0.25
LONGEST_PATIENCE_S = 4.0
"""Others wait while a partition is tried: for an eighth of the time, and at the end for a fifth. The patience grows to
what any partition is given, so that a broker that is only slow is not taken for one that never answers."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A partition held back: how often in a row it failed, and at which second of a monotonic clock it is tried."""

    failures: int
    at: float

    @property
    def patience_s(self) -> float:
        """Seconds it is given when it is next tried."""
        return min(FIRST_PATIENCE_S * 2.0 ** (self.failures - 1), LONGEST_PATIENCE_S)


class HeldBack:
    """Which partitions of a relay are held back, and since when."""

    def __init__(self) -> None:
        self._trials: dict[Place, Trial] = {}

    def failed(self, places: Iterable[Place], now: float) -> None:
        """Hold these back, or again, from `now` on."""
        for place in places:
            failures = self._trials.get(place, Trial(0, now)).failures + 1
            pause = min(FIRST_PAUSE_S * 2.0 ** (failures - 1), LONGEST_PAUSE_S)
            self._trials[place] = Trial(failures, now + pause)

    def acknowledged(self, places: Iterable[Place]) -> None:
        """Hold these back no longer."""
        for place in places:
            self._trials.pop(place, None)

    def next_round(self, places: Collection[Place], now: float) -> tuple[list[Place], float]:
        """Return which of the places the next round is for, and the seconds it gives them.

        Those to be tried have a round of their own: nobody else's events wait in it.
        """
        due = {place: trial for place in places if (trial := self._trials.get(place)) and trial.at <= now}
        if due:
            return list(due), max(trial.patience_s for trial in due.values())
        return [place for place in places if place not in self._trials], LONGEST_PATIENCE_S

    def holds(self, places: Collection[Place]) -> bool:
        """Whether all of these are held back."""
        return all(place in self._trials for place in places)

    def reason(self) -> str | None:
        """Return which are held back, for people; None when none is."""
        if not self._trials:
            return None
        names = [
            f"{topic}[{number}] ({trial.failures} times)" for (topic, number), trial in sorted(self._trials.items())
        ]
        return f"not acknowledged by Kafka, tried again, others go on: {', '.join(names)}"
