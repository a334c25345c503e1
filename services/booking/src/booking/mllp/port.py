"""What the listener needs of whoever takes the messages."""

from collections.abc import Sequence
from typing import Protocol

from booking.values.refusals import Refused


class Door(Protocol):
    """Takes messages of HL7 v2 and answers them."""

    async def answer_all(self, messages: Sequence[bytes], source: str | None) -> Sequence[bytes]:
        """Take the messages of one connection, and return an acknowledgement for each, in order, after their commit.

        Args:
            source: Whose they are, where the connection says so; None: the messages tell.
        """

    def refused(self, message: bytes, why: Refused) -> bytes:
        """Return the acknowledgement of a message, or of its beginning, that is never taken (AR)."""

    def later(self, message: bytes) -> bytes:
        """Return the acknowledgement of a message that was not taken now and may be sent again (AE)."""
