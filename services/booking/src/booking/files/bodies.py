"""From records to the bodies that are sent: so many at once, each lane's in their order."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from booking.files.cut import Record

MOST_RECORDS = 1_000
MOST_BYTES = 700_000
"""Of one body, below what the door takes by its usual settings."""


class Body(NamedTuple):
    """What one request brings.

    Attributes:
        lane: Which of the connections takes it: those of one lane keep their order.
    """

    lane: int
    records: Sequence[Record]

    def written(self, tail: bytes, encoding: str | None) -> bytes:
        """Return its bytes.

        Args:
            tail: What stands after the last record.
            encoding: In which it is sent; None: as it is.
        """
        whole = b"".join((self.records[0].head, *(record.body for record in self.records), tail))
        return whole if encoding is None else whole.decode("utf-8", "replace").encode(encoding, "replace")

    @property
    def halves(self) -> Sequence["Body"]:
        """Its first half and its second."""
        middle = len(self.records) // 2
        return [Body(self.lane, self.records[:middle]), Body(self.lane, self.records[middle:])]


def bodies(
    records: Iterable[Record], lane_of: Callable[[Record], int], lanes: int, most: int = MOST_RECORDS
) -> Iterator[Body | Record]:
    """Yield bodies of records, as soon as one is full, and each record that is refused unsent.

    Args:
        lanes: How many there are.
        most: Records of one body.
    """
    held: dict[int, list[Record]] = defaultdict(list)
    sizes: dict[int, int] = defaultdict(int)
    for record in records:
        if record.refusal is not None:
            yield record
            continue
        lane = lane_of(record) % lanes
        mine = held[lane]
        is_full = len(mine) == most or sizes[lane] + len(record.body) > MOST_BYTES
        if mine and (is_full or mine[0].head != record.head):
            yield Body(lane, mine)
            held[lane] = mine = []
            sizes[lane] = 0
        mine.append(record)
        sizes[lane] += len(record.body)
    yield from (Body(lane, mine) for lane, mine in held.items() if mine)
