"""What booking does, story by story. Each runs inside one transaction and is safe to call again.

Locks are taken in one order: appointment identities, appointments, patient identities, patients, the
counters of main files; each sorted. So two batches never wait for each other in a ring.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from booking.appointments.domain.batch import Batch, EventAnswer
from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.state import AppointmentState
from booking.appointments.look_up import look_up
from booking.appointments.ports import Store
from booking.appointments.what_was_read import with_hash
from booking.door.domain import Client
from booking.patients.handle import Rules, complete_people, name_people
from booking.values.identity import Identity, PatientKey
from booking.values.warned import FACT_BEFORE_BOOKING
from chassis.postgres.after_commit import after_commit

log: structlog.stdlib.BoundLogger = structlog.get_logger()

IDS_PER_LINE = 20
"""Appointments named in one line of the log; a batch of more says how many."""


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
    known = await look_up(store, commands, clients, ids, made, all_register=all_register)
    batch = Batch(known, now)
    return batch, [batch.take(with_hash(command)) for command in commands]


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
        await store.publish_versions(versions, batch.known.clinics, batch.flags)
    if batch.check_ins:
        await store.keep_check_ins(batch.check_ins, now)
    if batch.turned_away:
        await store.keep_turned_away(batch.turned_away, now)
    if batch.flags:
        await store.raise_flags(batch.flags, now)
    if booked := _booked_at_last(batch):
        await store.settle_facts(booked, now)
    if agreed := batch.agreed & batch.known.held.keys():
        await store.release(agreed, now)
    if batch.recorded_events:
        await store.remember(batch.recorded_events)


def _booked_at_last(batch: Batch) -> set[UUID]:
    """Return the visits whose booking has come of which it had not, when something happened to them."""
    waited = {key for key, state in batch.known.held.items() if state.never_booked}
    waited |= {flag.appointment_id for flag in batch.flags if flag.code == FACT_BEFORE_BOOKING}
    return {key for key in waited if key in batch.changed and not batch.changed[key].never_booked}


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
        "never_booked": state.never_booked,
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
