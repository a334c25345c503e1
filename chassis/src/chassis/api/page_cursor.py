"""A place in a list that is ordered by an instant and an id: where its next page begins."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from chassis.process.errors import AttendError

FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
"""What may be asked for: PostgreSQL and every zone can tell it."""


class BadCursor(AttendError):
    """An `after` that no page gave."""

    def __init__(self) -> None:
        super().__init__("BAD_CURSOR", "`after` must be the `next_after` of the page before; leave it out to begin")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two rows: after this one.

    Attributes:
        at: The row's instant, aware. None: among those whose instant is not known yet, which come last.
        id: Decides between equal instants.
    """

    at: datetime | None
    id: UUID

    def text(self) -> str:
        """Return it as `after`; its inside is nobody's business."""
        at = "" if self.at is None else self.at.astimezone(UTC).isoformat()
        return urlsafe_b64encode(f"{at}|{self.id}".encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str, *, dated: bool = True) -> "Cursor":
        """Return the place in an `after`.

        Args:
            dated: Every row of the list has an instant.
        """
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            at, _, found = urlsafe_b64decode(padded).decode("ascii").partition("|")
            place = cls(datetime.fromisoformat(at) if at else None, UUID(found))
        except ValueError:
            raise BadCursor from None
        if (place.at is None and dated) or (place.at and not (place.at.tzinfo and FIRST <= place.at <= LAST)):
            raise BadCursor
        return place


def next_place[T, P](items: Sequence[T], limit: int, place: Callable[[T], P]) -> P | None:
    """Return the place from which the next page goes on: that of the last item, if the page is full; else None."""
    return place(items[-1]) if len(items) == limit else None
