"""`handle.Store` on PostgreSQL: one statement a table and batch, rows sorted by key."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import asyncpg

from booking.adapters.reminded import reminded
from booking.appointments import statements
from booking.appointments.domain.batch import RecordedEvent
from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.state import AppointmentState, Result
from booking.appointments.messages import appointment_changed
from booking.clinics.domain.clinic import ClinicState
from booking.clinics.store import PostgresClinics
from booking.domain import main_files
from booking.domain.people import PatientState
from booking.door.records import columns
from booking.patients.messages import patient_changed
from booking.patients.store import PostgresPatients
from booking.providers.store import PostgresProviders
from booking.safety.domain import FlagChange
from booking.safety.store import keep_flag_changes
from booking.values.identity import Identity, PatientKey
from booking.values.refusals import Refused
from chassis.database import Connection
from chassis.errors import Unavailable
from chassis.outbox import enqueue
from schemas.appointments import Appointment, Bar, Mode, Status
from schemas.planning import barred_by

_PATIENT = attrgetter(
    "patient_id", "version", "main_file", "given_name", "family_name", "language", "mobile", "email", "consent",
    "do_not_contact", "deceased",
)  # fmt: skip

LONGEST_STEP = 10_000
"""Main-file numbers looked through at once."""

_STATUS = {status.value: status for status in Status}
_MODE = {mode.value: mode for mode in Mode}


class PostgresStore(PostgresPatients, PostgresClinics, PostgresProviders):
    """Booking's records within one transaction."""

    async def identify(self, identities: Collection[Identity]) -> tuple[Mapping[Identity, UUID], Collection[Identity]]:
        """See `handle.Store`."""
        found = await self._ids(statements.IDENTITIES, identities)
        missing = identities - found.keys() if isinstance(identities, set) else set(identities) - found.keys()
        if not missing:
            return found, ()
        made = await self._ids(statements.MAKE_IDENTITIES, missing)
        found |= made
        lost = missing - made.keys()  # another transaction made them; ours has waited for its end
        if lost:
            found |= await self._ids(statements.IDENTITIES, lost)
        if lost - found.keys():
            raise Unavailable("IDENTITY_RACE", "an appointment's identity was made and taken back by another batch")
        return found, made.keys()

    async def lock(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, AppointmentState]:
        """See `handle.Store`."""
        rows = await self.connection.fetch(statements.LOCK_APPOINTMENTS, list(appointment_ids))
        return await followed(self.connection, {row[0]: state_of(row) for row in rows})

    async def recorded_events(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], RecordedEvent]:
        """See `handle.Store`."""
        rows = await self.connection.fetch(statements.TAKEN, *columns(keys, 2))
        return {
            (r["client"], r["key"]): RecordedEvent(
                r["body_sha256"], Result(r["result"]), r["appointment_id"], r["version"], tuple(r["warnings"])
            )
            for r in rows
        }

    async def patients(self, identities: Collection[Identity]) -> Mapping[Identity, UUID]:
        """See `handle.Store`."""
        return await self._ids(statements.PATIENTS, identities)

    async def mint_patients(
        self, identities: Collection[Identity]
    ) -> tuple[Mapping[Identity, UUID], Collection[Identity]]:
        """See `handle_people.PeopleStore`."""
        made = await self._ids(statements.MINT_PATIENTS, identities)
        lost = set(identities) - made.keys()
        found = made | await self._ids(statements.PATIENTS, lost) if lost else made
        if len(found) < len(set(identities)):
            raise Unavailable("IDENTITY_RACE", "a patient was made and taken back by another batch")
        return found, made.keys()

    async def forget_patients(self, identities: Collection[Identity]) -> None:
        """See `handle_people.PeopleStore`."""
        await self.connection.execute(statements.FORGET_PATIENTS, *columns(identities, 2))

    async def lock_patients(self, patient_ids: Collection[UUID]) -> Mapping[UUID, PatientState]:
        """See `handle.Store`."""
        rows = await self.connection.fetch(statements.LOCK_PATIENTS, list(patient_ids))
        return {row["patient_id"]: patient_of(row) for row in rows}

    async def lock_counters(self, years: Collection[int]) -> None:
        """See `handle_people.PeopleStore`."""
        await self.connection.execute(statements.LOCK_COUNTERS, sorted(years))

    async def numbers_taken(self, numbers: Collection[str]) -> Collection[str]:
        """See `handle_people.PeopleStore`."""
        return {row["main_file"] for row in await self.connection.fetch(statements.NUMBERS_TAKEN, list(numbers))}

    async def free_numbers(self, year: int, count: int, claimed: Collection[str] = ()) -> Sequence[str]:
        """See `handle_people.PeopleStore`.

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

    async def write_appointments(self, states: Mapping[UUID, AppointmentState]) -> None:
        """See `handle.Store`."""
        ids = sorted(states)
        columns = zip(*(states[key] for key in ids), strict=True)  # an AppointmentState has the table's order
        await self.connection.execute(statements.WRITE_APPOINTMENTS, ids, *map(list, columns))

    async def publish_versions(
        self, versions: Sequence[tuple[UUID, AppointmentState]], clinics: Mapping[str, ClinicState]
    ) -> None:
        """See `handle.Store`."""
        known = await self.barred({state.patient for _, state in versions})
        barred = [known.get(state.patient) for _, state in versions]
        events = [
            appointment_changed(key, state, clinics[state.clinic_id or ""], bar)
            for (key, state), bar in zip(versions, barred, strict=True)
        ]
        await self.connection.execute(
            statements.APPEND_HISTORY,
            [key for key, _ in versions],
            [state.version for _, state in versions],
            [event.value.decode() for event in events if event.value is not None],
            barred,
        )
        await enqueue(self.connection, events)

    async def barred(self, patients: Collection[PatientKey | None]) -> Mapping[PatientKey | None, Bar]:
        """See `handle.Store`."""
        rows = await self.connection.fetch(statements.BARRED, [one for one in patients if isinstance(one, UUID)])
        bars = ((row[0], barred_by(deceased=row[1], do_not_contact=row[2], consent=row[3])) for row in rows)
        return {patient: bar for patient, bar in bars if bar is not None}

    async def reminded(
        self, patient_ids: Collection[UUID], now: datetime
    ) -> Mapping[UUID, Sequence[Appointment]] | None:
        """See `handle_people.PeopleStore`."""
        return await reminded(self.connection, patient_ids, now)

    async def write_patients(
        self, patients: Sequence[PatientState], flags: Sequence[FlagChange], now: datetime
    ) -> None:
        """See `handle_people.PeopleStore`."""
        self.people = True
        columns = zip(*map(_PATIENT, patients), strict=True)
        await keep_flag_changes(self.connection, flags, now)  # first: a trigger on patients reads the cause in them
        await self.connection.execute(statements.WRITE_PATIENTS, *map(list, columns))
        await enqueue(self.connection, [patient_changed(patient, now) for patient in patients])

    async def remember(self, recorded: Mapping[tuple[str, str], RecordedEvent], at: datetime | None = None) -> None:
        """See `handle.Store`.

        Args:
            recorded: By (client, key).
            at: Machine time; None: when the transaction began, by the database.

        Raises:
            Unavailable: Another transaction took one of these keys meanwhile; the same again sees it.
        """
        rows = [
            (*key, t.body_sha256, t.result, t.appointment_id, t.version, ",".join(t.warnings))
            for key, t in recorded.items()
        ]
        try:
            await self.connection.execute(statements.REMEMBER, *map(list, zip(*rows, strict=True)), at)
        except asyncpg.UniqueViolationError:
            raise Unavailable("KEY_RACE", "an event id was taken by another batch meanwhile") from None

    async def forget(self, identities: Collection[Identity]) -> None:
        """See `handle.Store`."""
        await self.connection.execute(statements.FORGET_IDENTITIES, *columns(identities, 2))

    async def _ids(self, statement: str, identities: Iterable[Identity]) -> dict[Identity, UUID]:
        rows = await self.connection.fetch(statement, *columns(identities, 2))
        return {(row[0], row[1]): row[2] for row in rows}


async def followed(connection: Connection, held: Mapping[UUID, AppointmentState]) -> Mapping[UUID, AppointmentState]:
    """Return the visits with the patient who is kept in place of one who was merged away.

    Whatever is written of them next carries him: a visit that a merge did not take along is repaired by it (D44).
    """
    patients = {state.patient for state in held.values() if state.patient is not None}
    rows = await connection.fetch(statements.KEPT_PATIENTS, list(patients)) if patients else ()
    if not rows:
        return held
    kept = {row["away"]: row["kept"] for row in rows}
    return {key: state._replace(patient=kept.get(state.patient, state.patient)) for key, state in held.items()}


async def remember_refusals(
    connection: Connection, refused: Sequence[tuple[BookAppointment, Refused]], now: datetime
) -> None:
    """Keep why events of inbound topics were refused, so that it can be asked by their ids."""
    rows = [(command.client, command.key, why.code, why.message, why.place) for command, why in refused]
    await connection.execute(statements.REMEMBER_REFUSALS, *map(list, zip(*rows, strict=True)), now)


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
        merged_into=row["merged_into"],
    )


def state_of(row: Any) -> AppointmentState:
    """Return the state in a row of `sql.APPOINTMENT_COLUMNS`."""
    _id, source, version, status, sequence, source_time, event_time, ingest_time, confirmed, mode, *rest = row
    return AppointmentState(
        source, version, _STATUS[status], sequence, source_time, event_time, ingest_time, confirmed, _MODE[mode], *rest
    )
