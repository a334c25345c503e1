"""Clinicians in PostgreSQL, and their events."""

from collections.abc import Mapping
from datetime import datetime

from booking.door.records import Records
from booking.providers.messages import provider_changed
from booking.values.identity import Identity
from chassis.outbox.writer import enqueue
from chassis.postgres.database import Connection
from schemas.wire import provider_id

NEW_PROVIDERS = """
INSERT INTO provider (provider_id, version, source, source_id, name)
SELECT provider_id, 1, source, source_id, name
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS given (provider_id, source, source_id, name)
ORDER BY provider_id
ON CONFLICT DO NOTHING
RETURNING provider_id, name
"""

WRITE_PROVIDER = """
INSERT INTO provider (provider_id, version, source, source_id, name) VALUES ($1, 1, $2, $3, $4)
ON CONFLICT (provider_id) DO UPDATE SET name = excluded.name, version = provider.version + 1
WHERE provider.name <> excluded.name
RETURNING version
"""

PROVIDER_VERSION = "SELECT version FROM provider WHERE provider_id = $1"


class PostgresProviders(Records):
    """Clinicians within one transaction, for `appointments.handle.Store`."""

    async def introduce_providers(self, names: Mapping[Identity, str], now: datetime) -> None:
        self.people = True
        rows = [(provider_id(*identity), *identity, name) for identity, name in names.items()]
        new = await self.connection.fetch(NEW_PROVIDERS, *map(list, zip(*rows, strict=True)))
        await enqueue(self.connection, [provider_changed(row["provider_id"], 1, row["name"], now) for row in new])


async def write_provider(connection: Connection, identity: Identity, name: str, now: datetime) -> tuple[str, int, bool]:
    """Keep and publish a provider; return his id, his version and whether it is a new one."""
    found = provider_id(*identity)
    version = await connection.fetchval(WRITE_PROVIDER, found, *identity, name)
    if version is None:
        return str(found), int(await connection.fetchval(PROVIDER_VERSION, found)), False
    await enqueue(connection, [provider_changed(found, version, name, now)])
    return str(found), int(version), True
