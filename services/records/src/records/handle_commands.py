"""A person's command on one sub-file: decided under the locks that bookings take, audited, published (D1, D6)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from records.domain import Pair, SubFile
from records.domain_commands import Command, changed

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class CommandStore(Protocol):
    """The records as the command's transaction sees them."""

    async def sub_file(self, sub_file_id: str) -> SubFile | None:
        """Return one sub-file as it is now, not locked."""

    async def lock_patients(self, patient_ids: Collection[str]) -> Mapping[str, str]:
        """See `handle.Store`."""

    async def lock_providers(self, provider_ids: Collection[str]) -> Collection[str]:
        """See `handle.Store`."""

    async def sub_files(self, pairs: Collection[Pair]) -> Mapping[Pair, SubFile]:
        """See `handle.Store`."""

    async def update(self, files: Sequence[SubFile]) -> None:
        """See `handle.Store`."""

    async def publish(self, files: Sequence[SubFile], now: datetime) -> None:
        """See `handle.Store`."""

    async def audit(self, command: Command, before: SubFile, after: SubFile, now: datetime) -> None:
        """Keep who did what to the sub-file, when and why."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a command. `repeat`: the sub-file was so already, and nothing was written."""

    file: SubFile
    repeat: bool


async def change_sub_file(store: CommandStore, command: Command, now: datetime) -> Done | None:
    """Carry the command out, once; None if there is no such sub-file.

    Args:
        store: The transaction, READ COMMITTED: what was waited for must show.
        command: The wish; sent again it is a repeat.
    """
    found = await store.sub_file(command.sub_file_id)
    if found is None:
        return None
    await store.lock_patients([found.patient_id])  # a booking decides under it which file is the newest
    known = await store.lock_providers([command.provider_id]) if command.provider_id else ()
    newest = (await store.sub_files([(found.patient_id, found.clinic_id)]))[found.patient_id, found.clinic_id]
    file = newest if newest.sub_file_id == found.sub_file_id else found
    after = changed(file, newest, command, known)
    if after is file:
        return Done(file, repeat=True)
    await store.update([after])
    await store.publish([after], now)
    await store.audit(command, file, after, now)
    return Done(after, repeat=False)


def log_change(command: Command, done: Done) -> None:
    """Say what was done, once it is committed; who did it is in the audit alone."""
    if not done.repeat:
        log.info("sub_file.changed", sub_file_id=command.sub_file_id, act=command.act.value, version=done.file.version)
