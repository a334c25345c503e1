"""Clinics in PostgreSQL, and their events."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from booking.clinics import policy_json, statements
from booking.clinics.domain.clinic import ClinicState
from booking.clinics.domain.details import Details, ToldDetails
from booking.clinics.messages import clinic_changed
from booking.door.records import Records, columns
from booking.safety.domain import Cause, FlagChange
from booking.safety.store import keep_flag_changes
from booking.values.refusals import Refused, check_version
from chassis.outbox.writer import enqueue
from chassis.postgres.database import Connection, Pool


class PostgresClinics(Records):
    """Clinics within one transaction, for `appointments.ports.Store`."""

    async def clinics(self, codes: Collection[str]) -> Mapping[str, ClinicState]:
        rows = await self.connection.fetch(statements.CLINICS, list(codes))
        return {row["clinic_id"]: clinic_of(row) for row in rows}

    async def clinic_ids(self, identifiers: Collection[tuple[str, str, str]]) -> Mapping[tuple[str, str, str], str]:
        rows = await self.connection.fetch(statements.CLINIC_IDS, *columns(identifiers, 3))
        return {(row["source"], row["system"], row["value"]): row["clinic_id"] for row in rows}


async def clinic_called(pool: Pool, code: str) -> ClinicState | None:
    """Return the clinic of a code, None if there is none."""
    row = await pool.fetchrow(statements.CLINICS, [code])
    return None if row is None else clinic_of(row)


async def locked_clinic(connection: Connection, clinic_id: str) -> ClinicState | None:
    """Lock a clinic's row and return the clinic, None if there is none."""
    row = await connection.fetchrow(statements.LOCK_CLINIC, clinic_id)
    return None if row is None else clinic_of(row)


class Entry(NamedTuple):
    """What is told of a clinic.

    Attributes:
        told: Everything but what changes only when it is named (D51).
        names: How sources name it: (source, system, value).
    """

    told: ClinicState
    names: Sequence[tuple[str, str, str]]
    sensitive: bool | None
    cause: Cause
    details: ToldDetails


async def write_clinic(
    connection: Connection, entry: Entry, now: datetime, wanted_version: int | None = None
) -> tuple[ClinicState, bool]:
    """Keep and publish a clinic and how sources name it; return it, and whether it is in a new version.

    Args:
        wanted_version: On which this was decided; None: whatever is held may be changed.

    Raises:
        Refused: CLINIC_ZONE_FIXED: every appointment carries its clinic's zone; IDENTIFIER_TAKEN; VERSION_CHANGED.
    """
    told = entry.told
    first = replace(told, version=1, sensitive=entry.sensitive or False)
    held = await _entered_or_held(connection, first)
    check_version(wanted_version, held.version if held else 0)
    if held is None:
        wanted = first
    elif held.zone != told.zone:
        raise Refused("CLINIC_ZONE_FIXED", "a clinic keeps its zone; enter a new clinic", "zone")
    else:  # what else has commands of its own stays
        sensitive = held.sensitive if entry.sensitive is None else entry.sensitive
        wanted = replace(
            told, version=held.version, created_at=held.created_at, policies=held.policies, sensitive=sensitive
        )
    changed = await _tell_details(connection, wanted.clinic_id, entry.details) or wanted != held
    if changed:
        if held is not None:
            wanted = replace(wanted, version=held.version + 1)
            await connection.execute(statements.CHANGE_CLINIC, *_row(wanted))
        await enqueue(connection, [clinic_changed(wanted, now)])
    was = held is not None and held.sensitive
    if wanted.sensitive != was:
        change = FlagChange("clinic", wanted.clinic_id, "sensitive", was, wanted.sensitive, entry.cause)
        await keep_flag_changes(connection, [change], now)
    if entry.names:
        await _name(connection, wanted.clinic_id, entry.names)
    return wanted, changed


async def _tell_details(connection: Connection, clinic_id: str, told: ToldDetails) -> bool:
    """Keep what is told of how a locked clinic is reached, and return whether that is new."""
    row = await connection.fetchrow(statements.DETAILS, clinic_id)
    held = Details(row["details"], row["services"]) if row else Details()
    wanted = held.with_told(told)
    if wanted != held:
        await connection.execute(statements.CHANGE_DETAILS, clinic_id, wanted.clinic, wanted.services)
    return wanted != held


async def _entered_or_held(connection: Connection, first: ClinicState) -> ClinicState | None:
    """Enter the clinic and return None; or lock the one of its code that is there already and return it.

    Of several that enter one clinic at once the first does; the others wait for it, and find it held.
    """
    held = await locked_clinic(connection, first.clinic_id)
    if held is None and not await connection.fetchval(statements.ENTER_CLINIC, *_row(first), first.created_at):
        held = await locked_clinic(connection, first.clinic_id)
    return held


def _row(clinic: ClinicState) -> tuple[Any, ...]:
    return (
        clinic.clinic_id, clinic.version, clinic.name, clinic.zone, clinic.country, list(clinic.languages),
        clinic.sensitive, clinic.window_opens, clinic.window_closes,
    )  # fmt: skip


async def _name(connection: Connection, clinic_id: str, names: Sequence[tuple[str, str, str]]) -> None:
    given = [list(column) for column in zip(*sorted(set(names)), strict=True)]
    written = await connection.fetch(statements.WRITE_CLINIC_ALIASES, *given, clinic_id)
    if len(written) != len(set(names)):
        raise Refused("IDENTIFIER_TAKEN", "another clinic has one of these identifiers", "identifiers")


def clinic_of(row: Any) -> ClinicState:
    """Return the clinic of a row of the table `clinic`."""
    own = tuple(policy_json.own_policy(held) for held in row["policies"])
    return ClinicState(
        clinic_id=row["clinic_id"],
        version=row["version"],
        name=row["name"],
        zone=row["zone"],
        country=row["country"],
        created_at=row["created_at"],
        languages=tuple(row["languages"]),
        sensitive=row["sensitive"],
        window_opens=row["window_opens"],
        window_closes=row["window_closes"],
        policies=own,
    )
