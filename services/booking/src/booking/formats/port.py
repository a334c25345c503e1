"""The port of upstream formats: one file each, from bytes to orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from booking.appointments.domain.command import BookAppointment
from booking.door.domain import Client
from booking.values.refusals import Refused


@dataclass(frozen=True, slots=True)
class Hints:
    """What came beside the body.

    Attributes:
        client: Who sent it.
        source: The source named in the query, if any.
        key: The header Idempotency-Key, if any.
    """

    client: Client
    source: str | None = None
    key: str | None = None


class Format(Protocol):
    """How one kind of upstream writes its bookings. A new kind is one new file and one line in `wiring`."""

    def parse(self, body: bytes, hints: Hints) -> Sequence[BookAppointment | Refused]:
        """Return the orders in `body`, in order; one that cannot be read stands as its refusal.

        Raises:
            Refused: The body as a whole cannot be read.
        """
