"""`ports.Store` on PostgreSQL: one statement a table and batch, rows sorted by key."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from booking.appointments import statements
from booking.appointments.domain.known import RecordedEvent
from booking.appointments.domain.state import AppointmentState, Result
from booking.appointments.domain.statuses import BEFORE_BOOKED, ENDS_BEFORE_BEGINNING
from booking.appointments.domain.two_writers import Said, said_before
from booking.appointments.messages import appointment_changed
from booking.check_ins.domain import CheckIn, TurnedAway
from booking.check_ins.store import keep, keep_refused
from booking.clearances import store as clearances
from booking.clearances.domain.standing import Terms
from booking.clinics.domain.clinic import ClinicState
from booking.clinics.store import PostgresClinics
from booking.door.records import columns
from booking.patients.store import PostgresPatients
from booking.providers.store import PostgresProviders
from booking.sources.store import enforced_of, last_restarts
from booking.values.identity import Identity
from booking.values.warned import FACT_BEFORE_BOOKING, HELD_BACK, of_line
from booking.work_list.domain import CLEARANCE_MISSING, Flag, codes_of
from booking.work_list.store import raise_flags, settle
from chassis.outbox.writer import enqueue
from chassis.postgres.database import Connection
from chassis.process.errors import Unavailable
from schemas.appointments import IngestMode, Status
from schemas.wire import provider_id

CHECK_IN = "check-in"
"""Who settles that a visit that is near lacks something: the patient is in."""

VISIT_OVER = "visit-over"
"""Who settles the same of a visit that was cancelled, or that nobody came to."""

BOOKING_CAME = "booking-came"
"""Who settles that something happened to a visit that was never booked: upstream says that it was."""

SAID_CLEARLY = "said-clearly"
"""Who settles that upstream contradicted itself: it says what agrees, or a person changed the visit at the desk."""

_OVER = ENDS_BEFORE_BEGINNING | {Status.NOSHOW}

_STATUS = {status.value: status for status in Status}
_MODE = {mode.value: mode for mode in IngestMode}


class PostgresStore(PostgresPatients, PostgresClinics, PostgresProviders):
    """`appointments.ports.Store` within one transaction."""

    _held = statements.LOCK_APPOINTMENTS

    async def identify(self, identities: Collection[Identity]) -> tuple[Mapping[Identity, UUID], Collection[Identity]]:
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

    async def names(self, appointment_ids: Collection[UUID]) -> dict[UUID, set[str]]:
        found: dict[UUID, set[str]] = {}
        for row in await self.connection.fetch(statements.NAMES, list(appointment_ids)):
            found.setdefault(row["appointment_id"], set()).add(row["source_id"])
        return found

    async def known_people(
        self, patients: Collection[Identity], providers: Collection[Identity]
    ) -> tuple[Mapping[Identity, UUID], Mapping[Identity, Identity]]:
        rows = await self.connection.fetch(statements.PEOPLE, *columns(patients, 2), *columns(providers, 2))
        named = {(row[0], row[1]): row[2] for row in rows if row[2] is not None}
        return named, {(row[0], row[1]): (row[0], row[3]) for row in rows if row[2] is None}

    async def made_known(
        self, patients: Collection[UUID], providers: Collection[Identity]
    ) -> tuple[Collection[UUID], Collection[Identity]]:
        ids = {provider_id(*identity): identity for identity in providers}
        rows = await self.connection.fetch(statements.MADE_KNOWN, list(patients), list(ids))
        return {row[0] for row in rows if row[0]}, {ids[row[1]] for row in rows if row[1]}

    async def lock(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, AppointmentState]:
        rows = await self.connection.fetch(self._held, list(appointment_ids))
        return await followed(self.connection, {row[0]: state_of(row) for row in rows})

    async def recorded_events(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], RecordedEvent]:
        rows = await self.connection.fetch(statements.TAKEN, *columns(keys, 2))
        return {
            (r["client"], r["key"]): RecordedEvent(
                *(r["body_sha256"], Result(r["result"]), r["appointment_id"], r["version"]),
                tuple(of_line(line) for line in r["warnings"]),
                r["read_sha256"],
            )
            for r in rows
        }

    async def write_appointments(self, states: Mapping[UUID, AppointmentState]) -> None:
        ids = sorted(states)
        given = zip(*(states[key] for key in ids), strict=True)  # an AppointmentState has the table's order
        await self.connection.execute(statements.WRITE_APPOINTMENTS, ids, *map(list, given))

    async def publish_versions(
        self,
        versions: Sequence[tuple[UUID, AppointmentState]],
        clinics: Mapping[str, ClinicState],
        flags: Sequence[Flag] = (),
    ) -> None:
        known = await self.barred({state.patient for _, state in versions})
        barred = [known.get(state.patient) for _, state in versions]
        raised = codes_of(flags)
        events = [
            appointment_changed(key, state, clinics[state.clinic_id or ""], bar, raised.get((key, state.version), ()))
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
        over = {key: state.ingest_time for key, state in dict(versions).items() if state.status in _OVER}
        if over:
            await settle(self.connection, over, [CLEARANCE_MISSING], VISIT_OVER, max(over.values()))

    async def remember(self, recorded: Mapping[tuple[str, str], RecordedEvent], at: datetime | None = None) -> None:
        """See `ports.Store`.

        Args:
            recorded: By (client, key).
            at: Machine time; None: when the transaction began, by the database.

        Raises:
            Unavailable: Another transaction took one of these keys meanwhile; the same again sees it.
        """
        rows = [
            (
                *(*key, t.body_sha256, t.result, t.appointment_id, t.version),
                "\n".join(w.line for w in t.warnings),
                t.read_sha256,
            )
            for key, t in recorded.items()
        ]
        try:
            await self.connection.execute(statements.REMEMBER, *map(list, zip(*rows, strict=True)), at)
        except asyncpg.UniqueViolationError:
            raise Unavailable("KEY_RACE", "an event id was taken by another batch meanwhile") from None

    async def restarts(self, sources: Collection[str]) -> Mapping[str, datetime]:
        return await last_restarts(self.connection, sources)

    async def terms(self, clinics: Collection[str], appointment_ids: Collection[UUID]) -> Terms:
        return await clearances.terms(self.connection, clinics, appointment_ids)

    async def keep_check_ins(self, check_ins: Sequence[CheckIn], now: datetime) -> None:
        await keep(self.connection, check_ins, now)
        await settle(self.connection, {one.appointment_id for one in check_ins}, [CLEARANCE_MISSING], CHECK_IN, now)

    async def keep_turned_away(self, refused: Sequence[TurnedAway], now: datetime) -> None:
        await keep_refused(self.connection, refused, now)

    async def raise_flags(self, flags: Sequence[Flag], now: datetime) -> None:
        await raise_flags(self.connection, flags, now)

    async def release(self, appointment_ids: Collection[UUID], now: datetime) -> None:
        await settle(self.connection, appointment_ids, [HELD_BACK], SAID_CLEARLY, now)

    async def settle_facts(self, appointment_ids: Collection[UUID], now: datetime) -> None:
        await settle(self.connection, appointment_ids, [FACT_BEFORE_BOOKING], BOOKING_CAME, now)

    async def enforced(self, sources: Collection[str]) -> Collection[str]:
        return await enforced_of(self.connection, sources)

    async def name(self, names: Mapping[Identity, UUID]) -> None:
        await self.connection.execute(statements.NAME_IDENTITIES, *columns(names, 2), list(names.values()))

    async def forget(self, identities: Collection[Identity]) -> None:
        await self.connection.execute(statements.FORGET_IDENTITIES, *columns(identities, 2))


class Looking(PostgresStore):
    """The same within a transaction that may only read: what would be decided now, without waiting for anybody."""

    _held = statements.HELD_APPOINTMENTS

    async def identify(self, identities: Collection[Identity]) -> tuple[Mapping[Identity, UUID], Collection[Identity]]:
        found = await self._ids(statements.IDENTITIES, identities)
        made = {name: uuid4() for name in set(identities) - found.keys()}  # kept nowhere
        return {**found, **made}, made.keys()


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


def state_of(row: Any) -> AppointmentState:
    """Return the state in a row of `statements.HELD`."""
    _id, source, version, status, sequence, source_time, event_time, ingest_time, confirmed, mode, *rest = row
    *rest, said_status, said_confirmed, said_reason, said_starts_at, never_booked = rest[:-3]
    said_version, start_version, never_booked_version = row[-3:]
    if said_version == version:
        said = Said(_STATUS.get(said_status), said_confirmed, said_reason)
    else:
        said = said_before(row["caused_by"], _STATUS[status], confirmed=confirmed)
    rest += said._replace(said_starts_at=said_starts_at if start_version == version else None)
    if never_booked_version != version:  # a release that knows nothing of it wrote the row: only its first is certain
        never_booked = version == 1 and _STATUS[status] in BEFORE_BOOKED
    rest.append(never_booked)
    return AppointmentState(
        source, version, _STATUS[status], sequence, source_time, event_time, ingest_time, confirmed, _MODE[mode], *rest
    )
