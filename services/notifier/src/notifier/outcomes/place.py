"""A place in the feed: after this row, as the cursor of the next page."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple, Self

from chassis.api.page_cursor import BadCursor

_LARGEST_XID, _LARGEST_SEQ = 2**64 - 1, 2**63 - 1


class Place(NamedTuple):
    """Places compare as the feed is ordered: by the transaction, then by the row."""

    xid: int
    seq: int

    def text(self) -> str:
        """Return it as `after`; its inside is nobody's business."""
        return urlsafe_b64encode(f"{self.xid}.{self.seq}".encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the place in an `after`."""
        try:
            told = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode("ascii")
            xid, seq = told.split(".")
        except ValueError:
            raise BadCursor from None
        if not (xid.isdecimal() and seq.isdecimal()) or len(told) > 41:
            raise BadCursor
        place = cls(int(xid), int(seq))
        if place.xid > _LARGEST_XID or place.seq > _LARGEST_SEQ:
            raise BadCursor
        return place
