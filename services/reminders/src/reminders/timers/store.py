"""The table's store: rows by partition, live only while the partition is ours and recovered.

Read against faust-streaming 0.15.3: `memory://` keeps rows of partitions the worker lost (fact 3),
and timers keep running with stale ownership during a rebalance (fact 9). So rows are held by
partition, dropped with it, and `live` is empty from a revocation until recovery is completed.
Nothing is loaded in `on_rebalance`, where no heartbeat is sent: the recovery task replays.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from faust.stores.base import Store
from faust.tables.table import Table
from faust.types import TP, EventT

from chassis.logs import get_logger
from reminders.timers.partition import Partition
from reminders.timers.row import UnreadableRow


class PartitionedStore(Store[bytes, bytes]):
    """Rows of the partitions assigned to this worker."""

    def __post_init__(self) -> None:
        self._parts: dict[int, Partition] = {}
        self._live: dict[int, Partition] = {}
        self._revoking = True
        self._recovered = False
        self._replayed = 0

    @property
    def recovering(self) -> int | None:
        """Changelog records replayed by the recovery under way, or None when none is."""
        return None if self._revoking or self._recovered else self._replayed

    @property
    def recovered(self) -> bool:
        """Whether the last assignment, be it of nothing, is recovered."""
        return self._recovered

    @property
    def live(self) -> Mapping[int, Partition]:
        """The partitions whose timers this worker may fire now."""
        return self._live

    def suspend(self) -> None:
        """Fire nothing until the next recovery is completed: partitions are being revoked."""
        if self._live:
            get_logger().info("timers.suspended", partitions=len(self._live))
        self._revoking = True
        self._recovered = False
        self._live = {}

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Drop what was lost and make room for what comes; rows come by `apply_changelog_batch`."""
        mine = {
            tp.partition for tp in assigned if tp.topic == cast(Table[bytes, bytes], self.table).changelog_topic_name
        }
        self._live = {}
        self._replayed = 0
        self._parts = {number: self._parts.get(number) or Partition() for number in mine}
        self._revoking = False

    def apply_changelog_batch(
        self, batch: Iterable[EventT[Any]], to_key: Callable[[Any], bytes], to_value: Callable[[Any], bytes]
    ) -> None:
        """Replay changelog records; those of partitions that are no longer ours are left out."""
        for event in batch:
            self._replayed += 1
            message = event.message
            part = self._parts.get(message.partition)
            if part is not None and message.key is not None:
                part.replay(message.key, message.value)

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Index the rows of the partitions that are ours to fire, and let them fire.

        Does nothing when another revocation began meanwhile: its own recovery will follow.
        """
        actives = {tp.partition for tp in self.app.assignor.assigned_actives()}
        parts = {tp.partition: self._parts[tp.partition] for tp in active_tps if tp.partition in self._parts}
        try:
            for part in parts.values():
                part.index()
        except UnreadableRow as error:
            await self.app.crash(error)  # Faust waits for this callback without looking at how it ended
            raise
        if not self._revoking:
            self._live = {number: part for number, part in parts.items() if number in actives}
            self._recovered = True
            get_logger().info("timers.live", partitions=len(self._live), rows=len(self))

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
