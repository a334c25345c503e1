"""Whose trouble it is that messages cannot be decided: each its own, or ours.

A message whose decision raises waits first. It is odd by itself, and taken aside, if it raises again though others of
its lane were decided meanwhile. While none is, or while many raise, the fault is ours, or of what all of them need: to
fail each would lose everything that is due, so they wait until they can be decided or their deadline has passed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

MOST = 20
"""As many unreadable records of our own topics open a consumer's breaker (design §3)."""

WITHIN_S = 300.0
PUT_OFF, LONGEST_PUT_OFF = timedelta(minutes=1), timedelta(minutes=4)
"""Shorter than `WITHIN_S`: what waits is found undecided again before it is forgotten. The longer the trouble lasts,
the longer each waits: thousands that raise must not take the whole time from those that do not."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """Messages of one lane that could not be decided, as one process knows; machine time, monotonic, in seconds.

    Attributes:
        found: Message → when it raised first, and last; `MOST` at most, those that were found first.
    """

    found: Mapping[UUID, tuple[float, float]] = field(default_factory=dict)
    decided_at: float | None = None

    def after(self, raised: Collection[UUID], at: float) -> "Undecided":
        """Return it after these messages raised."""
        found = dict(self._kept(at))
        for one in raised:
            if one in found or len(found) < MOST:
                found[one] = found.get(one, (at, at))[0], at
        return replace(self, found=found)

    def after_deciding(self, decided: Collection[UUID], at: float) -> "Undecided":
        """Return it after these messages of the lane were decided."""
        if not decided:
            return self
        return Undecided({one: when for one, when in self._kept(at).items() if one not in decided}, at)

    def without(self, aside: Collection[UUID]) -> "Undecided":
        """Return it after these were taken aside."""
        return replace(self, found={one: when for one, when in self.found.items() if one not in aside})

    def is_ours(self, at: float) -> bool:
        """Say whether they are too many to be each message's own trouble."""
        return len(self._kept(at)) == MOST

    def odd(self, raised: Collection[UUID], at: float) -> set[UUID]:
        """Return those of them, found before, that alone are odd: others were decided since they raised first."""
        if self.decided_at is None or self.is_ours(at):
            return set()
        return {one for one in raised if one in self.found and self.found[one][0] < self.decided_at}

    def wait(self, at: float) -> timedelta:
        """Return for how long what raises waits: as long as the trouble has lasted, within limits."""
        lasted = at - min((first for first, _ in self._kept(at).values()), default=at)
        return min(max(PUT_OFF, timedelta(seconds=lasted)), LONGEST_PUT_OFF)

    def _kept(self, at: float) -> Mapping[UUID, tuple[float, float]]:
        """Return those not forgotten: one that another process decided is found no more. None while none is decided."""
        if self.decided_at is None:
            return self.found
        return {
            one: (first, last)
            for one, (first, last) in self.found.items()
            if at - last < WITHIN_S or last > self.decided_at
        }
