"""Changes of safety flags in PostgreSQL: appended, never changed (D51)."""

from collections.abc import Sequence
from datetime import datetime

from booking.safety import statements
from booking.safety.domain import FlagChange
from chassis.database import Connection


async def keep_flag_changes(connection: Connection, changes: Sequence[FlagChange], now: datetime) -> None:
    """Append changes of safety flags to their audit (D51)."""
    if changes:
        rows = [(c.kind, c.subject, c.flag, c.was, c.becomes, *c.cause) for c in changes]
        await connection.execute(statements.KEEP_FLAG_CHANGES, *map(list, zip(*rows, strict=True)), now)
