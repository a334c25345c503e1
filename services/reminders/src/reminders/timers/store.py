"""The table's store: rows by partition, live only while the partition is ours and recovered.

Read against faust-streaming 0.15.3: `memory://` keeps rows of partitions the worker lost (fact 3),
and timers keep running with stale ownership during a rebalance (fact 9). So rows are held by
partition, dropped with it, and `live` is empty from a revocation until recovery is completed.
Nothing is loaded in `on_rebalance`, where no heartbeat is sent: `recovery.py` does that.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from faust.stores.base import Store
from faust.tables.table import Table
from faust.types import TP, EventT

from chassis.process.logs import get_logger
from reminders.timers.partition import Partition


class PartitionedStore(Store[bytes, bytes]):
    """Rows of the partitions assigned to this worker, be it to fire them or to stand by.

    Attributes:
        keep: How long a row stays after its anchor, in microseconds; set before the start.
        on_live: Called when partitions became live; set before the start.
    """

    keep = 0
    on_live: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        self._parts: dict[int, Partition] = {}
        self._live: dict[int, Partition] = {}
        self._revoking = True
        self._recovered = False

    @property
    def recovered(self) -> bool:
        """Whether the last assignment, be it of nothing, is recovered."""
        return self._recovered

    @property
    def revoking(self) -> bool:
        """Whether partitions are being taken away, and what comes after is not assigned yet."""
        return self._revoking

    @property
    def live(self) -> Mapping[int, Partition]:
        """The partitions whose timers this worker may fire now."""
        return self._live

    @property
    def parts(self) -> Mapping[int, Partition]:
        """All partitions held, recovered or not."""
        return self._parts

    def suspend(self) -> None:
        """Fire nothing until the next recovery is completed: partitions are being revoked."""
        if self._live:
            get_logger().info("timers.suspended", partitions=len(self._live))
        self._revoking = True
        self._recovered = False
        self._live = {}

    async def quiet(self) -> None:
        """Wait until nothing is being written to any partition held."""
        for part in list(self._parts.values()):
            async with part.lock:
                pass

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Drop what was lost and make room for what comes."""
        mine = {
            tp.partition for tp in assigned if tp.topic == cast(Table[bytes, bytes], self.table).changelog_topic_name
        }
        self._live = {}
        self._parts = {number: self._parts.get(number) or Partition(self.keep) for number in mine}
        self._revoking = False

    def apply_changelog_batch(
        self, batch: Iterable[EventT[Any]], to_key: Callable[[Any], bytes], to_value: Callable[[Any], bytes]
    ) -> None:
        """Do nothing: `changelog.py` replays, batch by batch."""

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Let the recovered partitions fire that are ours to fire (they are indexed already).

        Does nothing when another revocation began meanwhile: its own recovery will follow.
        """
        if not self._revoking:
            actives = {tp.partition for tp in active_tps}
            mine = {number: part for number, part in self._parts.items() if number in actives}
            self._live = {number: part for number, part in mine.items() if part.halt is None}
            self._recovered = True
            get_logger().info("timers.live", partitions=len(self._live), rows=sum(map(len, self._live.values())))
            if self.on_live is not None:
                self.on_live()

    def replace(self, number: int, part: Partition) -> None:
        """Put what was read later in the place of a partition that stands still; it is live if it does not.

        Does nothing from a revocation until the next recovery is completed: that one reads for itself.
        """
        if not self._recovered:
            return
        self._parts = {**self._parts, number: part}
        if part.halt is None:
            self._live = {**self._live, number: part}
            if self.on_live is not None:
                self.on_live()

    def persisted_offset(self, tp: TP) -> int | None:
        """Return None: nothing outlives the process."""
        return None

    async def backup_partition(self, tp: TP | int, flush: bool = True, purge: bool = False, keep: int = 1) -> None:
        """Do nothing: the changelog is the backup."""

    def restore_backup(self, tp: TP | int, latest: bool = True, backup_id: int = 0) -> None:
        """Do nothing: the changelog is the backup."""

    def reset_state(self) -> None:
        """Forget all rows."""
        self._parts, self._live = {}, {}

    def _rows(self) -> dict[bytes, bytes]:
        return {key: packed for part in self._parts.values() for key, packed in part.packed().items()}

    def __getitem__(self, key: bytes) -> bytes:
        return self._rows()[key]

    def __iter__(self) -> Any:
        return iter(self._rows())

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts.values())

    def __setitem__(self, key: bytes, value: bytes) -> None:
        raise TypeError("rows are written by the intake and the emitter, which await the changelog")

    def __delitem__(self, key: bytes) -> None:
        raise TypeError("rows are written by the intake and the emitter, which await the changelog")
