"""What booking does, story by story. Each runs inside one transaction and is safe to call again.

Locks are taken in one order: appointment identities, appointments, patient identities, patients, the
counters of main files; each sorted. So two batches never wait for each other in a ring.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import structlog

from booking.appointments.domain.batch import Batch, EventAnswer
from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.known import Known, RecordedEvent
from booking.appointments.domain.state import AppointmentState
from booking.appointments.domain.strangers import Acquaintances
from booking.appointments.what_was_read import with_hash
from booking.clinics.domain.clinic import ClinicState
from booking.door.domain import Client
from booking.patients.handle import PatientStore, Rules, complete_people, name_people
from booking.values.identity import Identity, PatientKey
from booking.values.names import in_doubt
from chassis.postgres.after_commit import after_commit
from schemas.appointments import Bar

log: structlog.stdlib.BoundLogger = structlog.get_logger()

IDS_PER_LINE = 20
"""Appointments named in one line of the log; a batch of more says how many."""


class VersionStore(Protocol):
    """What any story needs that gives appointments their next version. Every method is set-based and sorted by key."""

    async def lock(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, AppointmentState]:
        """Lock the appointments' rows and return them."""

    async def clinics(self, codes: Collection[str]) -> Mapping[str, ClinicState]:
        """Return the clinics that exist among these codes."""

    async def write_appointments(self, states: Mapping[UUID, AppointmentState]) -> None:
        """Write the current states."""

    async def publish_versions(
        self, versions: Sequence[tuple[UUID, AppointmentState]], clinics: Mapping[str, ClinicState]
    ) -> None:
        """Append every version to the history and to the outbox, with what bars messages to its patient (D44)."""


class Store(PatientStore, VersionStore, Protocol):
    """Booking's records as one transaction sees them. Every method is set-based and sorted by key."""

    async def identify(self, identities: Collection[Identity]) -> tuple[Mapping[Identity, UUID], Collection[Identity]]:
        """Return the appointments' ids by name, each made if missing, and which names were made."""

    async def names(self, appointment_ids: Collection[UUID]) -> dict[UUID, set[str]]:
        """Return the names of these appointments."""

    async def name(self, names: Mapping[Identity, UUID]) -> None:
        """Let names made in this transaction be further ones of these appointments."""

    async def recorded_events(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], RecordedEvent]:
        """Return the commands taken before, by (client, key)."""

    async def clinic_ids(self, identifiers: Collection[tuple[str, str, str]]) -> Mapping[tuple[str, str, str], str]:
        """Return the codes of clinics by (source, system, value)."""

    async def known_people(
        self, patients: Collection[Identity], providers: Collection[Identity]
    ) -> tuple[Mapping[Identity, UUID], Mapping[Identity, Identity]]:
        """Return the ids of patients, and the names under which providers are kept, mentioned before by these names."""

    async def made_known(
        self, patients: Collection[UUID], providers: Collection[Identity]
    ) -> tuple[Collection[UUID], Collection[Identity]]:
        """Return who of these patients is registered, and who of these providers was entered, by his kept name."""

    async def names_of_patients(self, patient_ids: Collection[UUID]) -> dict[PatientKey, set[str]]:
        """Return the names of these patients."""

    async def names_of_providers(self, kept_as: Collection[Identity]) -> dict[Identity, set[str]]:
        """Return the names of the providers who are kept under these."""

    async def name_providers(self, names: Mapping[Identity, Identity]) -> None:
        """Let new names lead to the providers who are kept under these."""

    async def barred(self, patients: Collection[PatientKey | None]) -> Mapping[PatientKey | None, Bar]:
        """Return why no message may go to these patients (D44); those to whom one may are left out."""

    async def introduce_providers(self, names: Mapping[Identity, str], now: datetime) -> None:
        """Keep and publish the providers that are not known yet."""

    async def remember(self, recorded: Mapping[tuple[str, str], RecordedEvent]) -> None:
        """Keep the commands with their answers."""

    async def restarts(self, sources: Collection[str]) -> Mapping[str, datetime]:
        """Return when these sources last began to count their events anew; those that never did are left out."""

    async def forget(self, identities: Collection[Identity]) -> None:
        """Remove identities made in this transaction for commands that were refused."""


async def accept(
    store: Store, commands: Sequence[BookAppointment], clients: Mapping[str, Client], now: datetime, rules: Rules
) -> list[EventAnswer]:
    """Take a batch of commands, those of one appointment in the order given, and answer each (D40, D41).

    One that is refused changes nothing, has its `refusal` in its answer, and keeps no other from being taken.

    Args:
        commands: Each is already allowed to speak for its source.
    """
    batch, answers = await decided(store, commands, clients, now, all_register=rules.register_on_booking)
    if further := batch.further_names():
        await store.name(further)
    await _write(store, batch, now, rules)
    if unused := batch.unused():
        await store.forget(unused)
    _log_changes(batch, answers)
    return answers


async def decided(
    store: Store,
    commands: Sequence[BookAppointment],
    clients: Mapping[str, Client],
    now: datetime,
    *,
    all_register: bool = False,
) -> tuple[Batch, list[EventAnswer]]:
    """Return what a batch of commands comes to, and the answer to each; nothing of it is written.

    Args:
        all_register: Whether a booking registers whomever it names (D5).
    """
    ids, made = await store.identify({name for command in commands for name in command.names})
    known = await _look_up(store, commands, clients, ids, made, all_register=all_register)
    batch = Batch(known, now)
    return batch, [batch.take(with_hash(command)) for command in commands]


async def _look_up(
    store: Store,
    commands: Sequence[BookAppointment],
    clients: Mapping[str, Client],
    ids: Mapping[Identity, UUID],
    made: Collection[Identity],
    *,
    all_register: bool,
) -> Known:
    held = await store.lock(set(ids.values()))
    several = [c.names for c in commands if c.other_names]
    unsure = in_doubt(several, {n: ids[n] for names in several for n in names if n not in made})
    codes = {command.clinic for command in commands} | {client.default_clinic for client in clients.values()}
    triples = {(c.source, system, value) for c in commands for system, value in c.clinic_identifiers}
    clinic_ids = await store.clinic_ids(triples) if triples else {}
    codes |= set(clinic_ids.values()) | {state.clinic_id for state in held.values()}
    people = await _people(store, commands)
    few = [c for c in commands if c.person is not None and clients[c.client].is_limited]
    named: set[PatientKey | None] = {people.patients.get(name) for c in few for name in c.names_of_patient}
    named |= {state.patient for state in held.values()} if few else set()
    back = {c.source for c in commands if any(_counts_back(c, held.get(ids[name])) for name in c.names)}
    described = {patient for patient in named if isinstance(patient, UUID)}
    return Known(
        ids=ids,
        made=made,
        names=await store.names(unsure) if unsure else {},
        held=held,
        recorded_events=await store.recorded_events({(command.client, command.key) for command in commands}),
        clinics=await store.clinics({code for code in codes if code is not None}),
        clinic_ids=clinic_ids,
        patients=people.patients,
        patient_names=people.patient_names,
        providers=people.providers,
        provider_names=people.provider_names,
        clients=clients,
        visited=await store.visited(described) if described else {},
        barred=await store.barred({state.patient for state in held.values()}) if held else {},
        restarts=await store.restarts(back) if back else {},
        acquaintances=Acquaintances(*await _known_ones(store, people), all_register),
    )


class _People(NamedTuple):
    patients: Mapping[Identity, UUID]
    patient_names: dict[PatientKey, set[str]]
    providers: Mapping[Identity, Identity]
    provider_names: dict[Identity, set[str]]


async def _people(store: Store, commands: Sequence[BookAppointment]) -> _People:
    patients, providers = [c.names_of_patient for c in commands], [c.names_of_provider for c in commands]
    known = await store.known_people(set(chain(*patients)), set(chain(*providers)))
    some, others = in_doubt(patients, known[0]), in_doubt(providers, known[1])
    return _People(
        known[0],
        await store.names_of_patients(some) if some else {},
        known[1],
        await store.names_of_providers(others) if others else {},
    )


async def _known_ones(store: Store, people: _People) -> tuple[Collection[UUID], Collection[Identity]]:
    patients, providers = set(people.patients.values()), set(people.providers.values())
    return await store.made_known(patients, providers) if patients or providers else ((), ())


def _counts_back(command: BookAppointment, held: AppointmentState | None) -> bool:
    """Say whether the command's sequence is not above the one held: only then a count that began anew matters."""
    if held is None or held.sequence is None or command.sequence is None:
        return False
    return command.sequence <= held.sequence


async def _write(store: Store, batch: Batch, now: datetime, rules: Rules) -> None:
    strangers = {s.patient for _, s in batch.versions if isinstance(s.patient, tuple)}
    further = batch.further_patient_names()
    minted: Mapping[Identity, UUID] = {}
    if further:
        minted = await name_people(store, strangers, further, _met(batch))
    elif strangers:
        minted = (await store.mint_patients(strangers))[0]
    versions = [
        (key, state._replace(patient=minted[state.patient]) if isinstance(state.patient, tuple) else state)
        for key, state in batch.versions
    ]
    described = [(_id(person.patient, minted), person.details, person.cause) for person in batch.persons]
    mentioned = {s.patient for _, s in versions if isinstance(s.patient, UUID)} if rules.register_on_booking else set()
    if described or mentioned:
        await complete_people(store, described, mentioned, now, rules)
    if batch.doctors.given:
        await store.name_providers(batch.doctors.given)
    if batch.providers:
        await store.introduce_providers(batch.providers, now)
    if batch.changed:
        await store.write_appointments(batch.changed | _last_notes(versions, batch.changed))
    if versions:
        await store.publish_versions(versions, batch.known.clinics)
    if batch.recorded_events:
        await store.remember(batch.recorded_events)


def _met(batch: Batch) -> set[UUID]:
    """Return the patients of the batch who are known: whoever of them is to be locked is locked at once."""
    met = {state.patient for _, state in batch.versions} | {person.patient for person in batch.persons}
    return {patient for patient in met if isinstance(patient, UUID)}


def _last_notes(
    versions: Sequence[tuple[UUID, AppointmentState]], changed: Mapping[UUID, AppointmentState]
) -> dict[UUID, AppointmentState]:
    """Return each appointment's last version, with the order and upstream's word that repeats after it noted."""
    return {
        key: state if (noted := _noted(changed[key])) == _noted(state) else state._replace(**noted)
        for key, state in dict(versions).items()
    }


def _noted(state: AppointmentState) -> dict[str, Any]:
    return {
        "sequence": state.sequence,
        "source_time": state.source_time,
        "arrived_at": state.arrived_at,
        "arrived_offset": state.arrived_offset,
        "said_status": state.said_status,
        "said_confirmed": state.said_confirmed,
        "said_reason": state.said_reason,
        "said_starts_at": state.said_starts_at,
    }


def _id(patient: PatientKey, minted: Mapping[Identity, UUID]) -> UUID:
    return minted[patient] if isinstance(patient, tuple) else patient


def _log_changes(batch: Batch, answers: Sequence[EventAnswer]) -> None:
    """Log creation and changes, with ids only (R31), and transitions that the state table lacks (R33)."""
    created = [str(key) for key, state in batch.versions if state.version == 1]
    if batch.versions:
        after_commit(
            log.info,
            "appointment.accepted" if len(batch.versions) == 1 else "appointments.accepted",
            count=len(batch.versions),
            created=len(created),
            appointment_ids=[str(key) for key, _ in batch.versions[:IDS_PER_LINE]],
        )
    odd = [a.recorded.appointment_id for a in answers if a.is_illegal_step and a.recorded]
    if odd:
        ids = [str(key) for key in odd[:IDS_PER_LINE]]
        after_commit(log.warning, "appointments.illegal_transition", count=len(odd), appointment_ids=ids)
    codes = {a.refusal.code for a in answers if a.refusal}
    if codes:
        refused = sum(answer.refusal is not None for answer in answers)
        after_commit(log.warning, "events.refused", count=refused, codes=sorted(codes))
