"""`handle_commands.CommandStore` on PostgreSQL, and the audit of what was done."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chassis.postgres.database import Pool
from records.adapters.store import PostgresStore
from records.domain import SubFile
from records.domain_commands import Act, Command
from schemas.subfiles import SubFileStatus

_SUB_FILE = """
SELECT sub_file_id::text, version, status, number, patient_id::text, clinic_id, ordinal, provider_id::text,
       wanted_provider_id::text, appointment_id::text, caused_by
FROM sub_file WHERE sub_file_id = $1::uuid"""

_AUDIT = """
INSERT INTO sub_file_command (command_id, sub_file_id, version, act, acted_by, reason, before, after, acted_at)
VALUES ($1::uuid, $2::uuid, $3, $4, $5, $6, $7, $8, $9)"""

_DONE = """
SELECT version, act, acted_by, reason, before, after, acted_at
FROM sub_file_command WHERE sub_file_id = $1::uuid ORDER BY version DESC"""


class PostgresCommandStore(PostgresStore):
    """`handle_commands.CommandStore` over one connection that is inside its transaction."""

    async def sub_file(self, sub_file_id: str) -> SubFile | None:
        row = await self._connection.fetchrow(_SUB_FILE, sub_file_id)
        return None if row is None else SubFile(row[0], row[1], SubFileStatus(row[2]), *row[3:])

    async def audit(self, command: Command, before: SubFile, after: SubFile, now: datetime) -> None:
        await self._connection.execute(
            _AUDIT, after.caused_by, after.sub_file_id, after.version, command.act, command.by, command.reason,
            _said(before, command.act), _said(after, command.act), now,
        )  # fmt: skip


def _said(file: SubFile, act: Act) -> str | None:
    return file.provider_id if act is Act.PROVIDER else file.status.value


async def commands_of(pool: Pool, sub_file_id: str) -> list[Mapping[str, Any]]:
    """Return what was done to a sub-file by command, newest first."""
    return [dict(row) for row in await pool.fetch(_DONE, sub_file_id)]
