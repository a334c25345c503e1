"""Clearances in PostgreSQL: `handle.ClearanceStore`, and how visits stand."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from booking.clearances import statements
from booking.clearances.domain.clearance import Clearance, ClearanceResult, Slot, Visit
from booking.clearances.domain.hands import Hand
from booking.clearances.domain.kinds import Kind
from booking.clearances.domain.policy import ClearancePolicy
from booking.clearances.domain.standing import NO_TERMS, NOTHING_REQUIRED, Standing, Terms, standing_of
from booking.clearances.handle import Word
from booking.clearances.known import Taken
from booking.clearances.messages import clearance_changed
from booking.clearances.rows import clearance_of, kind_of, policy_of, requirement_json
from booking.door.domain import Client
from booking.door.records import columns
from booking.values.identity import Identity
from booking.values.refusals import NOT_CLEARED
from booking.work_list.domain import CLEARANCE_MISSING, Flag
from booking.work_list.store import raise_flags, settle
from chassis.outbox.writer import enqueue
from chassis.postgres.database import Connection
from chassis.process.errors import Unavailable
from schemas.appointments import Status

_MAY_CHECK_IN = [status.value for status in (Status.PROPOSED, Status.PENDING, Status.BOOKED, Status.ARRIVED)]


async def standing(
    connection: Connection, appointment_ids: Collection[UUID], now: datetime, *, at_start: bool = False
) -> Mapping[UUID, Standing]:
    """Return how these visits stand to what their clinics require now, for any number of them in three statements.

    One alone is enough where nothing is required.

    Args:
        at_start: Look at visits ahead as of their start: what expires before it counts no more.
    """
    rows = await connection.fetch(statements.REQUIRED, list(appointment_ids))
    found: dict[UUID, Standing] = dict.fromkeys(appointment_ids, NOTHING_REQUIRED)
    if not rows:
        return found
    held = await held_of(connection, [row["appointment_id"] for row in rows])
    kinds = await kinds_of(connection, {row["clinic_id"] for row in rows})
    for row in rows:
        key, start = row["appointment_id"], row["starts_at"]
        at = max(now, start) if at_start and start is not None else now
        found[key] = standing_of(policy_of(row), held.get(key, ()), kinds[row["clinic_id"]], at)
    return found


async def terms(connection: Connection, clinics: Collection[str], appointment_ids: Collection[UUID]) -> Terms:
    """Return what these clinics require and these visits hold now, for any number of them in three statements.

    One alone is enough where nothing was ever required.
    """
    policies = {clinic: given for clinic, given in (await policies_of(connection, clinics)).items() if given}
    if not policies:
        return NO_TERMS
    kinds = await kinds_of(connection, set(policies))
    rows = await connection.fetch(statements.HELD, list(appointment_ids))
    return Terms(policies, kinds, _by_visit(rows), {row["visits"]: row["visits_kept"] for row in rows})


async def held_of(connection: Connection, appointment_ids: Collection[UUID]) -> dict[UUID, list[Clearance]]:
    """Return what these visits hold of their patients; those that hold nothing are left out."""
    rows = await connection.fetch(statements.HELD, list(appointment_ids))
    return _by_visit(row for row in rows if row["patient_id"] == row["visits_kept"])


def _by_visit(rows: Iterable[Any]) -> dict[UUID, list[Clearance]]:
    held: dict[UUID, list[Clearance]] = {}
    for row in rows:
        held.setdefault(row["appointment_id"], []).append(clearance_of(row))
    return held


async def kinds_of(connection: Connection, clinics: Collection[str]) -> dict[str, dict[str, Kind]]:
    """Return the kinds of each of these clinics by name: its own, and everybody's that it has no own word of."""
    kinds: dict[str, dict[str, Kind]] = {clinic: {} for clinic in clinics}
    for row in await connection.fetch(statements.KINDS, sorted(clinics)):
        kinds[row["asked"]][row["kind"]] = kind_of(row)
    return kinds


async def policies_of(connection: Connection, clinics: Collection[str]) -> dict[str, Sequence[ClearancePolicy]]:
    """Return the newest policy of each clinic and of its service types, given up or not: `policy.in_force` chooses."""
    return await _by_clinic(connection, statements.POLICIES, clinics)


async def _by_clinic(
    connection: Connection, statement: str, clinics: Collection[str]
) -> dict[str, Sequence[ClearancePolicy]]:
    found: dict[str, list[ClearancePolicy]] = {clinic: [] for clinic in clinics}
    for row in await connection.fetch(statement, sorted(clinics)):
        found[row["clinic_id"]].append(policy_of(row))
    return dict(found)


@dataclass(frozen=True, slots=True)
class PostgresClearances:
    """`handle.ClearanceStore` within one transaction."""

    connection: Connection

    async def visits_named(self, names: Collection[Identity]) -> Mapping[Identity, UUID]:
        return await self._ids(statements.NAMED_VISITS, names)

    async def lock(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Visit]:
        rows = await self.connection.fetch(statements.LOCK_VISITS, list(appointment_ids))
        kept = await self.kept({row["patient_id"] for row in rows})
        return {
            row["appointment_id"]: Visit(
                row["appointment_id"], row["source"], Status(row["status"]), row["clinic_id"],
                kept.get(row["patient_id"], row["patient_id"]), row["version"],
            )
            for row in rows
        }  # fmt: skip

    async def taken(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Taken]:
        rows = await self.connection.fetch(statements.TAKEN, *columns(keys, 2))
        return {
            (row["client"], row["key"]): Taken(
                row["body_sha256"], ClearanceResult(row["result"]), row["appointment_id"], row["kind"], row["form"],
                row["version"],
            )
            for row in rows
        }  # fmt: skip

    async def held(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Clearance]]:
        return _by_visit(await self.connection.fetch(statements.HELD, list(appointment_ids)))

    async def kinds(self, clinics: Collection[str]) -> Mapping[str, Mapping[str, Kind]]:
        return await kinds_of(self.connection, clinics)

    async def every_policy(self, clinics: Collection[str]) -> Mapping[str, Sequence[ClearancePolicy]]:
        return await _by_clinic(self.connection, statements.EVERY_POLICY, clinics)

    async def patients_named(self, names: Collection[Identity]) -> Mapping[Identity, UUID]:
        found = await self._ids(statements.NAMED_PATIENTS, names)
        kept = await self.kept(set(found.values()))
        return {name: kept.get(patient, patient) for name, patient in found.items()}

    async def hands(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Hand]]:
        rows = await self.connection.fetch(statements.HANDS, list(appointment_ids))
        kept = await self.kept({row["patient_id"] for row in rows})
        found: dict[UUID, list[Hand]] = {}
        for row in rows:
            patient, before = kept.get(row["patient_id"], row["patient_id"]), found.get(row["appointment_id"], [])
            if not before:
                found[row["appointment_id"]] = [Hand(patient)]
            elif before[-1].patient_id != patient:
                before.append(Hand(patient, row["since"]))
        return found

    async def keep(self, words: Sequence[Word], held: Mapping[UUID, Mapping[Slot, Clearance]]) -> None:
        rows = [(key, *one) for key, mine in sorted(held.items()) for _, one in sorted(mine.items())]
        await self.connection.execute(statements.WRITE, *map(list, zip(*rows, strict=True)))
        said = [(w.visit.appointment_id, *w.said, w.result.value, w.command.key, w.command.body_sha256) for w in words]
        try:
            await self.connection.execute(statements.APPEND, *map(list, zip(*said, strict=True)))
        except asyncpg.UniqueViolationError:
            raise Unavailable("KEY_RACE", "an event id was taken by another request meanwhile") from None

    async def standing(self, appointment_ids: Collection[UUID], now: datetime) -> Mapping[UUID, Standing]:
        return await standing(self.connection, appointment_ids, now, at_start=True)

    async def tell(self, words: Sequence[Word], standing: Mapping[UUID, Standing], now: datetime) -> None:
        missing = [not standing[word.visit.appointment_id].is_cleared for word in words]
        events = [clearance_changed(word, is_missing=one) for word, one in zip(words, missing, strict=True)]
        await enqueue(self.connection, events)

    async def flag(self, visits: Sequence[Visit], now: datetime) -> None:
        flags = [Flag(visit.appointment_id, CLEARANCE_MISSING, visit.version) for visit in visits]
        await raise_flags(self.connection, flags, now)

    async def settle(self, appointment_ids: Collection[UUID], by: str, now: datetime) -> None:
        await settle(self.connection, appointment_ids, (CLEARANCE_MISSING, NOT_CLEARED), by, now)

    async def _ids(self, statement: str, names: Collection[Identity]) -> dict[Identity, UUID]:
        if not names:
            return {}
        rows = await self.connection.fetch(statement, *columns(names, 2))
        return {(row[0], row[1]): row[2] for row in rows}

    async def kept(self, patients: Collection[UUID]) -> dict[UUID, UUID]:
        rows = await self.connection.fetch(statements.KEPT_PATIENTS, list(patients)) if patients else ()
        return {row["away"]: row["kept"] for row in rows}


@dataclass(frozen=True, slots=True)
class PostgresRequirements:
    """`requiring.RequirementStore` within one transaction."""

    connection: Connection

    async def lock_clinic(self, clinic_id: str) -> bool:
        return await self.connection.fetchval(statements.LOCK_CLINIC, clinic_id) is not None

    async def kinds(self, clinics: Sequence[str]) -> Mapping[str, Mapping[str, Kind]]:
        return await kinds_of(self.connection, clinics)

    async def policies(self, clinic_id: str) -> tuple[Sequence[ClearancePolicy], int]:
        last = await self.connection.fetchval(statements.LAST_VERSION, clinic_id)
        return (await policies_of(self.connection, [clinic_id]))[clinic_id], int(last)

    async def keep_policy(self, policy: ClearancePolicy) -> None:
        told = policy._replace(requires=list(map(requirement_json, policy.requires)))  # type: ignore[arg-type]  # a row
        await self.connection.execute(statements.KEEP_POLICY, *told)

    async def keep_kind(self, kind: Kind) -> None:
        await self.connection.execute(statements.KEEP_KIND, *kind)


async def changes_of(connection: Connection, clinic_id: str, before: int | None, limit: int) -> list[ClearancePolicy]:
    """Return versions of a clinic's policies, newest first; with `before`, those below it."""
    return [policy_of(row) for row in await connection.fetch(statements.CHANGES, clinic_id, before, limit)]


async def visits_ahead(
    connection: Connection,
    clinic_id: str,
    service_type: str | None,
    others: Collection[str],
    after: tuple[datetime, UUID],
    limit: int,
) -> Sequence[Any]:
    """Return rows of the next visits that may still be checked in, in the order of (start, id).

    Args:
        service_type: Of this one alone; None: of all but `others`.
    """
    rows: Sequence[Any] = await connection.fetch(
        statements.AHEAD, clinic_id, service_type, list(others), *after, _MAY_CHECK_IN, limit
    )
    return rows


async def history_of(connection: Connection, appointment_id: UUID) -> Sequence[Any]:
    """Return the rows of every word about a visit that was taken, oldest first."""
    rows: Sequence[Any] = await connection.fetch(statements.HISTORY, appointment_id)
    return rows


async def seen_by(connection: Connection, client: Client, appointment_id: UUID) -> bool:
    """Say whether the client sees a visit of this id."""
    row = await connection.fetchrow(statements.WHOSE, appointment_id)
    return row is not None and client.sees_visit(row["source"], row["clinic_id"])
