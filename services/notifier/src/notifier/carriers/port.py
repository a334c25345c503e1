"""What a carrier is to a lane."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from notifier.ledger.domain.notification import Call, CarrierResult
from schemas.notifications import Kind

type Made = Callable[[], Awaitable[CarrierResult]]
"""A call that is ready to be made: awaited, it gives the answer, and never raises for what a carrier does."""


class CannotCompose(Exception):
    """A message that cannot be written: a broken template, or an address that cannot be."""


class NoTemplate(CannotCompose):
    """A message for which this channel has no words at all: nothing is broken, and another channel may have them."""


class Carrier(Protocol):
    """A way to hand a message to the outside world."""

    def prepare(self, call: Call) -> Made:
        """Return the call, composed: from here on its time is the carrier's.

        Raises:
            CannotCompose: It never can be.
        """

    def tells_of_several(self, clinic_id: str, kind: Kind) -> bool:
        """Say whether there are words in which one message tells of several visits (`Call.also`)."""

    async def close(self) -> None:
        """Give up kept connections."""
