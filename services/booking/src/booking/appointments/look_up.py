"""What a batch of commands needs to know, read in so many statements whatever its size, under its locks."""

from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from booking.appointments.domain.changes import as_known
from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.known import Known
from booking.appointments.domain.state import AppointmentState
from booking.appointments.domain.strangers import Acquaintances
from booking.appointments.domain.transitions import FREE_FROM
from booking.appointments.ports import Store
from booking.check_ins.domain import LET_IN
from booking.clearances.domain.standing import NO_TERMS
from booking.door.domain import Client
from booking.values.identity import Identity, PatientKey
from booking.values.names import in_doubt
from schemas.appointments import Status


async def look_up(
    store: Store,
    commands: Sequence[BookAppointment],
    clients: Mapping[str, Client],
    ids: Mapping[Identity, UUID],
    made: Collection[Identity],
    *,
    all_register: bool,
) -> Known:
    """Return what the commands' batch needs to know; the appointments' rows are locked first.

    Args:
        made: Names that the batch made.
        all_register: Whether a booking registers whomever it names (D5).
    """
    held = await store.lock(set(ids.values()))
    several = [c.names for c in commands if c.other_names]
    unsure = in_doubt(several, {n: ids[n] for names in several for n in names if n not in made})
    codes = {code for command in commands for code in (command.clinic, command.clinic_otherwise)}
    codes |= {client.default_clinic for client in clients.values()}
    triples = {(c.source, system, value) for c in commands for system, value in c.clinic_identifiers}
    clinic_ids = await store.clinic_ids(triples) if triples else {}
    codes |= set(clinic_ids.values()) | {state.clinic_id for state in held.values()}
    people = await _people(store, commands)
    few = [c for c in commands if c.person is not None and clients[c.client].is_limited]
    named: set[PatientKey | None] = {people.patients.get(name) for c in few for name in c.names_of_patient}
    named |= {state.patient for state in held.values()} if few else set()
    back = {c.source for c in commands if any(_counts_back(c, held.get(ids[name])) for name in c.names)}
    checked_in = {ids[name] for c in commands for name in c.names if _may_let_in(c, held.get(ids[name]))}
    known_codes = {code for code in codes if code is not None}
    doubtful = with_doubtful_steps(commands, ids, held)
    described = {patient for patient in named if isinstance(patient, UUID)}
    return Known(
        ids=ids,
        made=made,
        names=await store.names(unsure) if unsure else {},
        held=held,
        recorded_events=await store.recorded_events({(command.client, command.key) for command in commands}),
        clinics=await store.clinics(known_codes),
        clinic_ids=clinic_ids,
        patients=people.patients,
        patient_names=people.patient_names,
        providers=people.providers,
        provider_names=people.provider_names,
        clients=clients,
        visited=await store.visited(described) if described else {},
        barred=await store.barred({state.patient for state in held.values()}) if held else {},
        terms=await store.terms(known_codes, checked_in) if checked_in else NO_TERMS,
        enforced=await store.enforced(doubtful) if doubtful else (),
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


def _may_let_in(command: BookAppointment, held: AppointmentState | None) -> bool:
    """Say whether a command checks a patient in, or leaves a visit so whose patient it may change."""
    return as_known(held, command).status in LET_IN


def with_doubtful_steps(
    commands: Sequence[BookAppointment], ids: Mapping[Identity, UUID], held: Mapping[UUID, AppointmentState]
) -> set[str]:
    """Return the sources of commands whose steps may be refused, whichever command of the batch is taken before."""
    to = {command.status for command in commands}
    ever = to.union({None}, *map(_statuses, held.values()))
    if all(ever <= FREE_FROM[status] for status in to):
        return set()
    sources: set[str] = set()
    before: dict[UUID, set[Status | None]] = {}
    for command in commands:
        keys = [ids[name] for name in command.names]
        passed = set[Status | None]().union(*(before.get(key) or _statuses(held.get(key)) for key in keys))
        if not passed <= FREE_FROM[command.status]:
            sources.add(command.source)
        passed.add(command.status)
        before |= dict.fromkeys(keys, passed)
    return sources


def _statuses(held: AppointmentState | None) -> set[Status | None]:
    """Return what a visit is, and what upstream itself said last that it is."""
    return {None} if held is None else {held.status, held.said_status or held.status}
