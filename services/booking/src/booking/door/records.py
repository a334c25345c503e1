"""What the stores of all rooms have in common: a transaction, and rows as columns."""

from collections.abc import Iterable
from uuid import UUID

from booking.values.identity import Identity
from chassis.postgres.database import Connection


class Records:
    """Records of booking as one transaction sees them; each room has its own."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.people = False

    async def _ids(self, statement: str, identities: Iterable[Identity]) -> dict[Identity, UUID]:
        rows = await self.connection.fetch(statement, *columns(identities, 2))
        return {(row[0], row[1]): row[2] for row in rows}


def columns(rows: Iterable[tuple[str, ...]], width: int) -> list[list[str]]:
    """Return the columns of rows, as `unnest` takes them; there may be no row."""
    listed = list(rows)
    return [[row[column] for row in listed] for column in range(width)]
