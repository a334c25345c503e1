"""Clinicians in PostgreSQL, and their events."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from booking.door.records import Records, columns
from booking.providers.messages import provider_changed
from booking.values.identity import Identity
from booking.values.refusals import Refused, check_version
from chassis.outbox.writer import enqueue
from chassis.postgres.database import Connection
from chassis.process.errors import Unavailable
from schemas.wire import provider_id

NEW_PROVIDERS = """
INSERT INTO provider (provider_id, version, source, source_id, name)
SELECT provider_id, 1, source, source_id, name
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS given (provider_id, source, source_id, name)
ORDER BY provider_id
ON CONFLICT DO NOTHING
RETURNING provider_id, name
"""

NAME_PROVIDERS = """
INSERT INTO provider_alias (source, source_id, first_id)
SELECT source, source_id, first_id
FROM unnest($1::text[], $2::text[], $3::text[]) AS given (source, source_id, first_id)
ORDER BY source, source_id
ON CONFLICT DO NOTHING
RETURNING source_id
"""

KEPT_AS = """
SELECT source, source_id, first_id
FROM unnest($1::text[], $2::text[]) AS asked (source, source_id) JOIN provider_alias USING (source, source_id)
"""

NAMES_OF_PROVIDERS = """
SELECT source, source_id, first_id
FROM unnest($1::text[], $2::text[]) AS asked (source, first_id) JOIN provider_alias USING (source, first_id)
"""

WRITE_PROVIDER = """
INSERT INTO provider (provider_id, version, source, source_id, name) VALUES ($1, 1, $2, $3, $4)
ON CONFLICT (provider_id) DO UPDATE SET name = excluded.name, version = provider.version + 1
WHERE provider.name <> excluded.name
RETURNING version
"""

HELD_PROVIDER = "SELECT version, name FROM provider WHERE provider_id = $1 FOR UPDATE"


class PostgresProviders(Records):
    """Clinicians within one transaction, for `appointments.ports.Store`."""

    async def kept_as(self, names: Collection[Identity]) -> Mapping[Identity, Identity]:
        """Return the names under which the providers are kept who were mentioned by these."""
        rows = await self.connection.fetch(KEPT_AS, *columns(names, 2))
        return {(row[0], row[1]): (row[0], row[2]) for row in rows}

    async def names_of_providers(self, kept_as: Collection[Identity]) -> dict[Identity, set[str]]:
        found: dict[Identity, set[str]] = {}
        for row in await self.connection.fetch(NAMES_OF_PROVIDERS, *columns(kept_as, 2)):
            found.setdefault((row[0], row[2]), set()).add(row[1])
        return found

    async def name_providers(self, names: Mapping[Identity, Identity]) -> None:
        """See `appointments.ports.Store`.

        Raises:
            Unavailable: IDENTITY_RACE: another batch gave one of them to another meanwhile; the same again sees it.
        """
        rows = [(*name, kept_as[1]) for name, kept_as in names.items()]
        if len(await self.connection.fetch(NAME_PROVIDERS, *columns(rows, 3))) < len(rows):
            found = await self.kept_as(names)
            if any(found.get(name) != kept_as for name, kept_as in names.items()):
                raise Unavailable("IDENTITY_RACE", "a provider was named by another batch meanwhile")

    async def introduce_providers(self, names: Mapping[Identity, str], now: datetime) -> None:
        self.people = True
        rows = [(provider_id(*identity), *identity, name) for identity, name in names.items()]
        new = await self.connection.fetch(NEW_PROVIDERS, *map(list, zip(*rows, strict=True)))
        await enqueue(self.connection, [provider_changed(row["provider_id"], 1, row["name"], now) for row in new])


class ProviderVersion(NamedTuple):
    """A provider after a command, and whether it is in a new version."""

    provider_id: UUID
    version: int
    changed: bool


async def write_provider(
    connection: Connection, identity: Identity, name: str | None, now: datetime, wanted: int | None = None
) -> ProviderVersion:
    """Keep and publish a provider.

    Args:
        name: None: as it is.
        wanted: The version on which this was decided; None: whatever is held may be changed.

    Raises:
        Refused: VERSION_CHANGED; MISSING_FIELD: one who was never entered has no name.
    """
    store = PostgresProviders(connection)
    kept = (await store.kept_as([identity])).get(identity)
    if kept is None:
        await store.name_providers({identity: identity})
    identity = kept or identity
    found = provider_id(*identity)
    held = await connection.fetchrow(HELD_PROVIDER, found)
    check_version(wanted, held["version"] if held else 0)
    if name is None and held is None:
        raise Refused("MISSING_FIELD", "a clinician has a name", "name")
    if held is not None and name in {None, held["name"]}:
        return ProviderVersion(found, held["version"], False)
    version = await connection.fetchval(WRITE_PROVIDER, found, *identity, name)
    if version is None:  # another transaction gave the same name meanwhile
        return ProviderVersion(found, int(await connection.fetchval(HELD_PROVIDER, found)), False)
    await enqueue(connection, [provider_changed(found, version, str(name), now)])
    return ProviderVersion(found, int(version), True)
