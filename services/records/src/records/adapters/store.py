"""The records in PostgreSQL: set-based statements, rows sorted by key."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime

import asyncpg

from chassis.outbox.writer import enqueue
from chassis.postgres.columns import columns
from chassis.postgres.database import Connection
from chassis.process.errors import RejectedEvent
from records.adapters import sql
from records.adapters.events import sub_file_changed
from records.domain import Pair, PatientSnapshot, ProviderSnapshot, SubFile
from schemas.lean_models import AppointmentReading
from schemas.subfiles import SubFileStatus

_SUB_FILE = [field.name for field in fields(SubFile)]
_CHANGING = ("sub_file_id", "version", "status", "number", "provider_id", "wanted_provider_id", "caused_by")


class PostgresStore:
    """`handle.Store` over one connection that is inside the batch's transaction.

    Args:
        connection: In a READ COMMITTED transaction: a lock waited for must show what was committed meanwhile.
        known_providers: Shared by all stores of a process; only committed rows get in, and a known
            provider never becomes unknown, so it is right whatever becomes of this transaction.
    """

    def __init__(self, connection: Connection, known_providers: set[str]) -> None:
        self._connection = connection
        self._known = known_providers

    async def keep_appointments(self, events: Collection[AppointmentReading]) -> Mapping[str, int]:
        kept = await self._connection.fetchrow(
            sql.KEEP_APPOINTMENTS,
            *columns(events, "appointment_id", "version", "patient_id", "clinic_id"),
        )
        return await self._held(kept, sql.HELD_APPOINTMENTS, [event.appointment_id for event in events])

    async def keep_patients(self, events: Collection[PatientSnapshot]) -> Mapping[str, int]:
        """See `handle.Store`.

        Raises:
            RejectedEvent: MAIN_FILE_TAKEN: another patient holds this main file.
        """
        try:
            kept = await self._connection.fetchrow(
                sql.KEEP_PATIENTS,
                *columns(events, "patient_id", "version", "main_file", "merged_into"),
            )
        except asyncpg.UniqueViolationError:
            raise RejectedEvent("MAIN_FILE_TAKEN", "another patient holds this main file") from None
        return await self._held(kept, sql.HELD_PATIENTS, [event.patient_id for event in events])

    async def keep_providers(self, events: Collection[ProviderSnapshot]) -> Mapping[str, int]:
        ids = [event.provider_id for event in events]
        await self._connection.execute(sql.ADD_PROVIDERS, ids)
        kept = await self._connection.fetchrow(sql.KEEP_PROVIDERS, ids, [event.version for event in events])
        return await self._held(kept, sql.HELD_PROVIDERS, ids)

    async def _held(self, kept: asyncpg.Record | None, query: str, ids: Sequence[str]) -> Mapping[str, int]:
        """Return the versions held before: the statement returns them, but for rows that it refused."""
        if kept is None:
            return {}
        before = dict(zip(kept["ids"] or (), kept["versions"] or (), strict=True))
        if kept["kept"] == len(ids):
            return before
        fresh = frozenset(kept["fresh"] or ())
        refused = [entity for entity in ids if entity not in before and entity not in fresh]
        return before | {row["id"]: row["version"] for row in await self._connection.fetch(query, refused)}

    async def erase_patients(self, patient_ids: Collection[str]) -> None:
        if patient_ids:
            await self._connection.execute(sql.ERASE_PATIENTS, list(patient_ids))

    async def unsettled(self, pairs: Collection[Pair], *, closed_too: bool) -> Collection[Pair]:
        patients, clinics = [patient for patient, _ in pairs], [clinic for _, clinic in pairs]
        rows = await self._connection.fetch(sql.UNSETTLED, patients, clinics, closed_too)
        return [(patient, clinic) for patient, clinic in rows]

    async def lock_patients(self, patient_ids: Collection[str]) -> Mapping[str, str]:
        ids = list(patient_ids)
        await self._connection.execute(sql.LOCK_PATIENTS, ids)
        rows = await self._connection.fetch(sql.MAIN_FILES, ids)
        return {row["patient_id"]: row["main_file"] for row in rows}

    async def lock_providers(self, provider_ids: Collection[str]) -> Collection[str]:
        doubtful = [provider for provider in provider_ids if provider not in self._known]
        if doubtful:
            await self._connection.execute(sql.ADD_PROVIDERS, doubtful)
            rows = await self._connection.fetch(sql.LOCK_PROVIDERS, doubtful)
            self._known.update(provider for provider, version in rows if version > 0)
        return self._known

    async def sub_files(self, pairs: Collection[Pair]) -> Mapping[Pair, SubFile]:
        patients, clinics = [patient for patient, _ in pairs], [clinic for _, clinic in pairs]
        ids = [row[0] for row in await self._connection.fetch(sql.NEWEST, patients, clinics)]
        files = await self._locked(sql.LOCK_SUB_FILES, ids) if ids else ()
        return {(file.patient_id, file.clinic_id): file for file in files}

    async def parked(self, patient_ids: Collection[str]) -> Sequence[SubFile]:
        return await self._locked(sql.LOCK_PARKED, patient_ids)

    async def wanting(self, provider_ids: Collection[str]) -> Sequence[SubFile]:
        return await self._locked(sql.LOCK_WANTING, provider_ids)

    async def _locked(self, query: str, ids: Collection[str]) -> Sequence[SubFile]:
        rows = await self._connection.fetch(query, list(ids))
        return [SubFile(row[0], row[1], SubFileStatus(row[2]), *row[3:]) for row in rows]

    async def insert(self, files: Sequence[SubFile], now: datetime) -> None:
        await self._connection.execute(
            sql.INSERT,
            *columns(files, *_SUB_FILE),
            now,
        )

    async def update(self, files: Sequence[SubFile]) -> None:
        await self._connection.execute(sql.UPDATE, *columns(files, *_CHANGING))

    async def publish(self, files: Sequence[SubFile], now: datetime) -> None:
        if files:
            await enqueue(self._connection, [sub_file_changed(file, now) for file in files])
