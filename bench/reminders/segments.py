"""What the broker's log says: which batches lie in a partition, and when each was committed.

Read from the files of our own broker, so that measuring takes nothing of the two cores from what is measured:
no consumer of ours runs meanwhile. Only heads of batches are read (Kafka's record batch, magic 2: 61 bytes), and
of a control batch the four bytes that tell commit from abort.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

_PREFIX = struct.Struct(">qi")  # base offset, length of what follows
_HEAD = struct.Struct(">qiibIhiqqqhii")  # the whole head, see Kafka's DefaultRecordBatch
_CONTROL_TYPE = struct.Struct(">hh")  # version and type, the key of a control record
_CONTROL_KEY_AT = _HEAD.size + 5  # after length, attributes, two deltas and the key's length, a byte each
_TRANSACTIONAL, _CONTROL = 0x10, 0x20
_COMMIT = 1


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one batch that readers of committed records see.

    Attributes:
        first: Offset of its first record.
        records: How many.
        made_s: When its first record was made, by the producer's clock, in seconds since 1970.
        visible_s: When the broker wrote the commit marker, or for a batch outside of transactions the batch's
            last instant (the broker's append if the topic is set to LogAppendTime), in seconds since 1970.
    """

    first: int
    records: int
    made_s: float
    visible_s: float


class Tail:
    """Follows one partition.

    Attributes:
        committed: The visible batches so far, in the order in which they became so.
        aborted: Records of aborted transactions so far.

    Args:
        folder: Of the partition, below the broker's data folder.
    """

    def __init__(self, folder: Path) -> None:
        self.committed: list[Batch] = []
        self.aborted = 0
        self._folder = folder
        self._places: dict[Path, int] = {}
        self._open: dict[int, list[tuple[int, int, float]]] = {}

    @property
    def records(self) -> int:
        """Visible records so far."""
        return sum(batch.records for batch in self.committed)

    def look(self) -> None:
        """Read what was appended since the last look."""
        for path in sorted(self._folder.glob("*.log")):
            with path.open("rb") as file:
                place, size = self._places.get(path, 0), path.stat().st_size
                while place + _CONTROL_KEY_AT + _CONTROL_TYPE.size <= size:
                    file.seek(place)
                    head = file.read(_CONTROL_KEY_AT + _CONTROL_TYPE.size)
                    length = _PREFIX.size + _PREFIX.unpack_from(head)[1]
                    if length == _PREFIX.size or place + length > size:
                        break  # still being written
                    self._take(head)
                    place += length
                self._places[path] = place

    def _take(self, head: bytes) -> None:
        first, _, _, _, _, attributes, _, made, last, producer, _, _, count = _HEAD.unpack_from(head)
        if attributes & _CONTROL:
            waiting = self._open.pop(producer, [])
            if _CONTROL_TYPE.unpack_from(head, _CONTROL_KEY_AT)[1] == _COMMIT:
                self.committed += [Batch(at, records, begun, last / 1000) for at, records, begun in waiting]
            else:
                self.aborted += sum(records for _, records, _ in waiting)
        elif attributes & _TRANSACTIONAL:
            self._open.setdefault(producer, []).append((first, count, made / 1000))
        else:
            self.committed.append(Batch(first, count, made / 1000, last / 1000))


class Topic:
    """Follows all partitions of a topic.

    Args:
        data: The broker's data folder.
        name: The topic's name.
        partitions: How many.
    """

    def __init__(self, data: Path, name: str, partitions: int) -> None:
        self.tails = [Tail(data / f"{name}-{number}") for number in range(partitions)]

    def look(self) -> int:
        """Read what is new; returns how many records are visible in all."""
        for tail in self.tails:
            tail.look()
        return sum(tail.records for tail in self.tails)

    def places(self) -> list[int]:
        """Return how many batches are visible in each partition: from here on, later."""
        return [len(tail.committed) for tail in self.tails]

    def since(self, places: list[int]) -> list[Batch]:
        """Return the batches that became visible after `places` was taken."""
        return [batch for tail, place in zip(self.tails, places, strict=True) for batch in tail.committed[place:]]
