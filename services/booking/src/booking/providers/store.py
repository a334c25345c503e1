"""Clinicians in PostgreSQL, and their events."""

from collections.abc import Mapping
from datetime import datetime

from booking.door.records import Records
from booking.providers import statements
from booking.providers.messages import provider_changed
from booking.values.identity import Identity
from chassis.outbox.writer import enqueue
from chassis.postgres.database import Connection
from schemas.wire import provider_id


class PostgresProviders(Records):
    """Clinicians within one transaction, for `appointments.handle.Store`."""

    async def introduce_providers(self, names: Mapping[Identity, str], now: datetime) -> None:
        self.people = True
        rows = [(provider_id(*identity), *identity, name) for identity, name in names.items()]
        new = await self.connection.fetch(statements.NEW_PROVIDERS, *map(list, zip(*rows, strict=True)))
        await enqueue(self.connection, [provider_changed(row["provider_id"], 1, row["name"], now) for row in new])


async def write_provider(connection: Connection, identity: Identity, name: str, now: datetime) -> tuple[str, int, bool]:
    """Keep and publish a provider; return his id, his version and whether it is a new one."""
    found = provider_id(*identity)
    version = await connection.fetchval(statements.WRITE_PROVIDER, found, *identity, name)
    if version is None:
        return str(found), int(await connection.fetchval(statements.PROVIDER_VERSION, found)), False
    await enqueue(connection, [provider_changed(found, version, name, now)])
    return str(found), int(version), True
