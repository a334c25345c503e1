"""Whether a lane stands still: messages are due, and no call begins. Whatever the cause, it must not go unseen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standstill:
    """What was seen of a lane; time is machine time, monotonic.

    Attributes:
        since: When messages were seen due first without a call since; None while there is nothing to see.
    """

    since: float | None = None
    begun: int = 0

    def after(self, due: bool, begun: int, at: float) -> "Standstill":
        """Return it after a look.

        Args:
            due: Messages are due that this lane may call for, as far as the ledger knows.
        """
        if not due or begun != self.begun:
            return Standstill(at if due else None, begun)
        return self if self.since is not None else Standstill(at, begun)

    def seconds(self, at: float) -> float:
        """Return for how long messages have been due without a call."""
        return 0.0 if self.since is None else at - self.since
