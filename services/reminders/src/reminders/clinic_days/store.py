"""The clinics whose days begin, in the table `clinic` of the schema `reminders`."""

from collections.abc import Sequence

from chassis.delivery.consumer import Applied
from chassis.postgres.database import Connection
from chassis.time_slots.runner import Scope
from reminders.clinic_days.domain import ClinicVersion

_HELD = "SELECT clinic_id, version FROM clinic WHERE clinic_id = ANY ($1::text[]) ORDER BY clinic_id FOR UPDATE"
_KEEP = """
INSERT INTO clinic (clinic_id, version, zone, since)
SELECT clinic_id, version, zone, since
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::timestamptz[]) AS told (clinic_id, version, zone, since)
ORDER BY clinic_id
ON CONFLICT (clinic_id) DO UPDATE SET version = excluded.version, zone = excluded.zone
WHERE clinic.version < excluded.version
"""
_SCOPES = "SELECT clinic_id, zone, since FROM clinic ORDER BY clinic_id"


async def keep_clinics(connection: Connection, events: Sequence[ClinicVersion]) -> Applied:
    """Keep the newest version of each clinic; since when it is known is its first."""
    newest: dict[str, ClinicVersion] = {}
    versions = {
        row["clinic_id"]: row["version"]
        for row in await connection.fetch(_HELD, list({e.clinic.clinic_id for e in events}))
    }
    repeat: list[int] = []
    stale: list[int] = []
    for place, event in enumerate(events):
        clinic_id, held = event.clinic.clinic_id, versions.get(event.clinic.clinic_id, 0)
        if event.clinic.version <= held:
            (repeat if event.clinic.version == held else stale).append(place)
        else:
            since = newest[clinic_id].at if clinic_id in newest else event.at
            newest[clinic_id] = ClinicVersion(event.clinic, min(since, event.at))
            versions[clinic_id] = event.clinic.version
    if newest:
        rows = [(key, event.clinic.version, event.clinic.zone, event.at) for key, event in sorted(newest.items())]
        await connection.execute(_KEEP, *map(list, zip(*rows, strict=True)))
    return Applied(repeat, stale)


async def scopes(connection: Connection) -> Sequence[Scope]:
    """Return every clinic with its zone, and since when it is known."""
    return [Scope(row["clinic_id"], row["zone"], row["since"]) for row in await connection.fetch(_SCOPES)]
