"""What would follow of commands, decided as they would be: nothing is written, nothing locked, nobody told."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from booking.appointments.domain.batch import Batch, EventAnswer
from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.state import AppointmentState, Result
from booking.appointments.handle import decided
from booking.appointments.messages import appointment_changed
from booking.appointments.store import Looking
from booking.door.domain import Client
from booking.values.identity import PatientKey
from booking.work_list.domain import codes_of
from chassis.postgres.database import Pool
from schemas.appointments import Appointment, Bar
from schemas.planning import plan
from schemas.reminders import PlannedReminder, Reason, ReminderStatus
from schemas.wire import decode

_NOBODY_YET = UUID(int=0)
"""Stands for a patient who would become known."""


class Becomes(StrEnum):
    """What becomes of a reminder by a message."""

    PLANNED = "planned"
    KEPT = "kept"
    CANCELLED = "cancelled"
    NEVER = "never"


class Reminder(NamedTuple):
    """A reminder of a visit, and what becomes of it.

    Attributes:
        rule: Its slug, as the clinic's policy has it.
        reason: Why it is cancelled or never leaves; None: it leaves.
    """

    rule: str
    due: datetime
    becomes: Becomes
    reason: Reason | None = None


class Follows(NamedTuple):
    """What would follow of one command.

    Attributes:
        before: The visit as it is held; None: nobody knows it.
        after: As it would be held; None: no new version of it.
        flags: What staff would look at.
    """

    answer: EventAnswer
    before: AppointmentState | None = None
    after: AppointmentState | None = None
    reminders: Sequence[Reminder] = ()
    flags: Sequence[str] = ()


async def tried(
    pool: Pool, commands: Sequence[BookAppointment], client: Client, now: datetime, *, all_register: bool
) -> list[Follows]:
    """Return what would follow of each command, on top of those before it.

    Args:
        all_register: Whether a booking registers whomever it names (D5).
    """
    async with pool.transaction(readonly=True) as connection:
        store = Looking(connection)
        batch, answers = await decided(store, commands, {client.client_id: client}, now, all_register=all_register)
        barred = await store.barred({state.patient for _, state in batch.versions})
    return list(_follows(batch, answers, barred))


def _follows(
    batch: Batch, answers: Sequence[EventAnswer], barred: Mapping[PatientKey | None, Bar]
) -> Iterator[Follows]:
    held, versions, flags = dict(batch.known.held), iter(batch.versions), codes_of(batch.flags)
    said = {one.patient: bar for one in batch.persons if (bar := one.details.barred) is not None}
    bars: dict[PatientKey | None, Bar] = dict(barred)
    bars |= {patient: bar for patient, bar in said.items() if patient not in barred}
    for answer in answers:
        if answer.result is not Result.APPLIED:
            yield _unchanged(answer, held, flags)
            continue
        key, after = next(versions)
        before = held.get(key)
        was = _planned(batch, key, before, batch.known.barred)
        becomes = _planned(batch, key, after, bars)
        found = reminders(was, becomes, batch.now)
        yield Follows(answer, before, after, found, flags.get((key, after.version), ()))
        held[key] = after


def _unchanged(
    answer: EventAnswer, held: Mapping[UUID, AppointmentState], flags: Mapping[tuple[UUID, int], Sequence[str]]
) -> Follows:
    """Return what follows of what changes no visit: one may be held back all the same."""
    if answer.recorded is None:
        return Follows(answer)
    key, said = answer.recorded.appointment_id, {warned.code for warned in answer.warnings}
    raised = [code for code in flags.get((key, answer.recorded.version), ()) if code in said]
    return Follows(answer, held.get(key), flags=raised)


def _planned(
    batch: Batch, key: UUID, state: AppointmentState | None, barred: Mapping[PatientKey | None, Bar]
) -> Sequence[PlannedReminder]:
    """Return the reminders of a version, as the reminders worker plans them."""
    clinic = batch.known.clinics.get(state.clinic_id or "") if state else None
    if state is None or clinic is None or not state.version:
        return ()
    bar, patient = barred.get(state.patient), state.patient
    written = state._replace(patient=patient if isinstance(patient, UUID) else _NOBODY_YET)
    value = appointment_changed(key, written, clinic, bar).value
    return plan(decode(Appointment, value)) if value is not None else ()


def reminders(was: Sequence[PlannedReminder], becomes: Sequence[PlannedReminder], now: datetime) -> list[Reminder]:
    """Return what becomes of each reminder, soonest first; of those that were handed over before `now`, nothing."""
    waiting = {one.reminder_id: one for one in was if one.status is ReminderStatus.SCHEDULED and one.due > now}
    found = []
    for one in becomes:
        is_waiting = waiting.pop(one.reminder_id, None) is not None
        if one.status is ReminderStatus.SCHEDULED:
            found.append(Reminder(one.rule, one.due, Becomes.KEPT if is_waiting else Becomes.PLANNED))
        else:
            found.append(Reminder(one.rule, one.due, Becomes.CANCELLED if is_waiting else Becomes.NEVER, one.reason))
    found += [Reminder(one.rule, one.due, Becomes.CANCELLED, Reason.RESCHEDULED) for one in waiting.values()]
    return sorted(found, key=lambda one: (one.due, one.rule))
