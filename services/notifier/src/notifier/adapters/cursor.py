"""A place in a list that is ordered by an instant and an id: where its next page begins."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from chassis.errors import AttendError


class BadCursor(AttendError):
    """An `after` that no page gave."""

    def __init__(self) -> None:
        super().__init__("BAD_CURSOR", "`after` must be the `next_after` of the page before; leave it out to begin")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two rows: after this one."""

    at: datetime
    id: UUID

    def text(self) -> str:
        """Return it as `after`; its inside is nobody's business."""
        return urlsafe_b64encode(f"{self.at.astimezone(UTC).isoformat()}|{self.id}".encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Return the place in an `after`.

        Raises:
            BadCursor: It is not one of ours.
        """
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            at, _, found = urlsafe_b64decode(padded).decode("ascii").partition("|")
            place = cls(datetime.fromisoformat(at), UUID(found))
        except ValueError:
            raise BadCursor from None
        if place.at.tzinfo is None or place.at.year not in range(1900, 9999):
            raise BadCursor
        return place
