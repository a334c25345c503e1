"""`handle.PatientStore` on PostgreSQL: patients, their numbers and their events."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from booking.door.records import Records, columns
from booking.patients import statements
from booking.patients.domain import main_files
from booking.patients.domain.patient import PatientState
from booking.patients.messages import patient_changed
from booking.safety.domain import FlagChange
from booking.safety.store import keep_flag_changes
from booking.values.identity import Identity, PatientKey
from chassis.outbox.writer import enqueue
from chassis.postgres.database import Pool
from chassis.process.errors import Unavailable
from schemas.appointments import SENDABLE, Appointment, Bar
from schemas.planning import barred_by
from schemas.wire import decode

_PATIENT = attrgetter(
    "patient_id", "version", "main_file", "given_name", "family_name", "language", "mobile", "email", "consent",
    "do_not_contact", "deceased", "contact_of",
)  # fmt: skip

LONGEST_STEP = 10_000
"""Main-file numbers looked through at once."""

MOST_COUNTED = 1_000
"""Visits ahead, of all patients of a transaction, whose reminders are counted. Of more no answer of it says."""

_REMINDABLE = [status.value for status in SENDABLE]


class PostgresPatients(Records):
    """`patients.handle.PatientStore` within one transaction."""

    async def patients(self, identities: Collection[Identity]) -> Mapping[Identity, UUID]:
        return await self._ids(statements.PATIENTS, identities)

    async def mint_patients(
        self, identities: Collection[Identity]
    ) -> tuple[Mapping[Identity, UUID], Collection[Identity]]:
        made = await self._ids(statements.MINT_PATIENTS, identities)
        lost = set(identities) - made.keys()
        found = made | await self._ids(statements.PATIENTS, lost) if lost else made
        if len(found) < len(set(identities)):
            raise Unavailable("IDENTITY_RACE", "a patient was made and taken back by another batch")
        return found, made.keys()

    async def name_patients(
        self, strangers: Collection[Identity], further: Mapping[Identity, PatientKey]
    ) -> Mapping[Identity, UUID]:
        firsts = [owner if isinstance(owner, tuple) else (None, None) for owner in further.values()]
        given = (
            *columns(strangers, 2),
            *columns(further, 2),
            *([first[place] for first in firsts] for place in (0, 1)),
            [owner if isinstance(owner, UUID) else None for owner in further.values()],
        )
        rows = await self.connection.fetch(statements.NAME_PATIENTS, *given)
        if len(rows) < len(strangers) + len(further):
            raise Unavailable("IDENTITY_RACE", "a patient was named by another batch meanwhile")
        made = {(row[0], row[1]): row[2] for row in rows}
        return {first: made[first] for first in strangers}

    async def names_of_patients(self, patient_ids: Collection[UUID]) -> dict[PatientKey, set[str]]:
        found: dict[PatientKey, set[str]] = {}
        for row in await self.connection.fetch(statements.NAMES_OF_PATIENTS, list(patient_ids)):
            found.setdefault(row["patient_id"], set()).add(row["source_id"])
        return found

    async def forget_patients(self, identities: Collection[Identity]) -> None:
        await self.connection.execute(statements.FORGET_PATIENTS, *columns(identities, 2))

    async def lock_patients(self, patient_ids: Collection[UUID]) -> Mapping[UUID, PatientState]:
        rows = await self.connection.fetch(statements.LOCK_PATIENTS, list(patient_ids))
        return {row["patient_id"]: patient_of(row) for row in rows}

    async def lock_counters(self, years: Collection[int]) -> None:
        await self.connection.execute(statements.LOCK_COUNTERS, sorted(years))

    async def numbers_taken(self, numbers: Collection[str]) -> Collection[str]:
        return {row["main_file"] for row in await self.connection.fetch(statements.NUMBERS_TAKEN, list(numbers))}

    async def free_numbers(self, year: int, count: int, claimed: Collection[str] = ()) -> Sequence[str]:
        """See `handle.PatientStore`.

        As a rule nobody has the numbers above the counter, and one look is enough. Over a block that upstream
        issued it goes in steps that double.
        """
        found: list[str] = []
        step = count
        while len(found) < count:
            moved = await self.connection.fetchrow(statements.ADVANCE_COUNTER, year, step, main_files.LAST)
            assert moved is not None  # noqa: S101  # an upsert always returns its row
            before, until = moved["before"], moved["until"]
            if before == until:
                break  # the year has no number left
            ends = (main_files.number(year, before), main_files.number(year, until))
            rows = await self.connection.fetch(statements.NUMBERS_BETWEEN, *ends)
            found += main_files.free_between(year, before, until, {row["main_file"] for row in rows} | set(claimed))
            step = min(2 * step, LONGEST_STEP)
        if len(found) > count:
            await self.connection.execute(statements.PUT_COUNTER_BACK, year, main_files.ordinal_in(found[count - 1]))
        return found[:count]

    async def barred(self, patients: Collection[PatientKey | None]) -> Mapping[PatientKey | None, Bar]:
        rows = await self.connection.fetch(statements.BARRED, [one for one in patients if isinstance(one, UUID)])
        bars = ((row[0], barred_by(deceased=row[1], do_not_contact=row[2], consent=row[3])) for row in rows)
        return {patient: bar for patient, bar in bars if bar is not None}

    async def reminded(
        self, patient_ids: Collection[UUID], now: datetime
    ) -> Mapping[UUID, Sequence[Appointment]] | None:
        rows = await self.connection.fetch(statements.REMINDED, list(patient_ids), _REMINDABLE, now, MOST_COUNTED + 1)
        if len(rows) > MOST_COUNTED:
            return None
        found: dict[UUID, list[Appointment]] = {}
        for kept, snapshot in rows:
            found.setdefault(kept, []).append(decode(Appointment, snapshot.encode()))
        return found

    async def write_patients(
        self, patients: Sequence[PatientState], flags: Sequence[FlagChange], now: datetime
    ) -> None:
        self.people = True
        given = zip(*map(_PATIENT, patients), strict=True)
        await keep_flag_changes(self.connection, flags, now)  # first: a trigger on patients reads the cause in them
        await self.connection.execute(statements.WRITE_PATIENTS, *map(list, given))
        await enqueue(self.connection, [patient_changed(patient, now) for patient in patients])

    async def visited(self, patient_ids: Collection[UUID]) -> Mapping[UUID, Collection[str]]:
        rows = await self.connection.fetch(statements.VISITED, list(patient_ids))
        return {row["asked"]: row["clinics"] for row in rows}


async def clinics_of(pool: Pool, patient_ids: Collection[UUID]) -> Mapping[UUID, Collection[str]]:
    """Return the clinics of patients' visits, and of those of the files merged into theirs; errors do not count."""
    rows = await pool.fetch(statements.VISITED, list(patient_ids))
    return {row["asked"]: row["clinics"] for row in rows}


async def clinics_visited(pool: Pool, patient_id: UUID) -> Collection[str]:
    """Return the clinics of a patient's visits, as `clinics_of`."""
    return (await clinics_of(pool, [patient_id])).get(patient_id, ())


def patient_of(row: Any) -> PatientState:
    """Return the patient of a row of the table `patient`."""
    return PatientState(
        patient_id=row["patient_id"],
        version=row["version"],
        main_file=row["main_file"],
        given_name=row["given_name"],
        family_name=row["family_name"],
        language=row["language"],
        mobile=row["mobile"],
        email=row["email"],
        consent=row["consent"],
        do_not_contact=row["do_not_contact"],
        deceased=row["deceased"],
        contact_of=row["contact_of"],
        merged_into=row["merged_into"],
    )
