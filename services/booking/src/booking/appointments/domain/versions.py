"""What one command makes of one appointment: the next version, or nothing (D40, D41)."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from booking.appointments.domain.at_desk import check_at_desk, check_is_his, check_not_over
from booking.appointments.domain.changes import fields_of, filling_in, is_late_booking, plans_anew
from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.order import Order, against_what, latest, moved_on, order_of, stands_at, stood_at
from booking.appointments.domain.state import AppointmentState, Decision, Result
from booking.appointments.domain.statuses import (
    AT_DESK,
    BEFORE_BOOKED,
    CHECKED_IN_AT_DESK,
    ENDS_BEFORE_BEGINNING,
    HAPPENED,
    VISIT_HAPPENED_OR_WILL,
)
from booking.appointments.domain.transitions import OBSERVED, Actor, StepRules, Taken, judge
from booking.appointments.domain.two_writers import Merged, Said, merged, said_last
from booking.clinics.domain.clinic import ClinicState
from booking.values.identity import PatientKey
from booking.values.refusals import Refused
from booking.values.warned import STALE, Warned
from schemas.appointments import IngestMode, Status

_OVERTAKEN = (
    "it was cancelled before it was booked, and nothing says that this is newer: give a sequence or occurred_at"
)

_STAYS = "what happened to this visit came before its booking: it stays so, and what was not told with it was added"


def decide(
    held: AppointmentState | None,
    command: BookAppointment,
    clinic_id: str | None,
    patient: PatientKey | None,
    now: datetime,
    clinics: Mapping[str, ClinicState] = MappingProxyType({}),
    restarted_at: datetime | None = None,
    rules: StepRules = OBSERVED,
) -> Decision:
    """Return what `command` makes of the appointment held.

    Args:
        held: The state under the row's lock, None if nothing was ever heard of it.
        clinic_id: The clinic it names, existing and allowed, or None for the one held.
        patient: The patient it names, or None for the one held.
        clinics: Code → clinic, for the rules of service types (D13).
        restarted_at: When the source's count of events began anew, if it did.
        rules: How strictly the step is judged.

    Raises:
        Refused: PATIENT_REQUIRED, CLINIC_REQUIRED, START_REQUIRED, SEQUENCE_CONFLICT, ILLEGAL_TRANSITION; at the
            desk ALREADY_CANCELLED, ALREADY_BEGUN, CHANGED_MEANWHILE, START_PASSED.
    """
    if held is None:
        if command.status in ENDS_BEFORE_BEGINNING and not _is_history(command, clinic_id, patient):
            return Decision(Result.TOMBSTONE, _tombstone(command, now))
        return _first(command, clinic_id, patient, now, rules)
    if command.at_desk is not None:
        check_at_desk(held, command.at_desk, command.starts_at, now)
        if isinstance(command.starts_at, datetime):
            command = command._replace(status=held.status)  # a move leaves it as it is, not as it was looked at
    if command.check_in is not None:
        check_not_over(held)
        check_is_his(held, command.check_in.patient_id)
    order = order_of(held, command, now, restarted_at)
    heard = _heard(held, command)
    if order is Order.OLDER:
        return Decision(Result.STALE, heard, against_what(held, command, now, restarted_at))
    if held.version == 0:
        return _after_tombstone(held, command, order, clinic_id, patient, now, rules)
    late: tuple[Warned, ...] = ()
    if order is Order.BY_ARRIVAL and is_late_booking(held, command):
        command, clinic_id, patient = filling_in(held, command), None, None
        late = (Warned(STALE, "appointment.status", _STAYS),)
    told, warnings = fields_of(held, command, clinic_id, patient)
    warnings += late
    both = merged(held, told, command)
    return _next(heard, command, order, both._replace(warnings=warnings + both.warnings), now, clinics, rules)


def _heard(held: AppointmentState, command: BookAppointment) -> AppointmentState:
    """Return the state held, with it noted if upstream says for the first time that it is booked."""
    is_first = held.never_booked and command.status is Status.BOOKED and not command.is_ours
    return held._replace(never_booked=False) if is_first else held


def _is_history(command: BookAppointment, clinic_id: str | None, patient: PatientKey | None) -> bool:
    """Say whether an import tells of a visit that was cancelled: it says whose it was and where, and is kept (D43).

    A live command of this kind has overtaken its booking, and an import that says less has nothing to keep.
    """
    return command.mode is IngestMode.BACKFILL and clinic_id is not None and patient is not None


def _tombstone(command: BookAppointment, now: datetime) -> AppointmentState:
    return AppointmentState(
        source=command.source,
        version=0,
        status=command.status,
        sequence=command.sequence,
        source_time=stood_at(command, now),
        event_time=command.occurred_at or now,
        ingest_time=now,
        mode=command.mode,
        caused_by=_cause(command),
        reason=command.reason,
        arrived_at=command.arrived_at or now,
        arrived_offset=command.arrived_offset,
    )


def _after_tombstone(
    held: AppointmentState,
    command: BookAppointment,
    order: Order,
    clinic_id: str | None,
    patient: PatientKey | None,
    now: datetime,
    rules: StepRules,
) -> Decision:
    """A book that comes after its cancel, and is not known to be newer, was overtaken by it: stale (D41).

    What happened is told of a visit that took place, whatever was cancelled: it is never stale by arrival alone (0052).
    """
    ends = command.status in ENDS_BEFORE_BEGINNING
    if order is Order.NEWER or (order is Order.BY_ARRIVAL and command.status in HAPPENED):
        if ends:
            warnings = judge(Taken(Actor.UPSTREAM, held.status, command.status), command.reason, rules)
            return Decision(Result.TOMBSTONE, _tombstone(command, now), warnings)
        error = held.status if held.status is Status.ENTERED_IN_ERROR else None  # cancelled is not known as booked
        return _first(command, clinic_id, patient, now, rules, error)
    if ends:
        return Decision(Result.REPEAT, held)
    if order is Order.SAME:
        raise _conflict()
    return Decision(Result.STALE, held, (Warned(STALE, "", _OVERTAKEN),))


def _first(
    command: BookAppointment,
    clinic_id: str | None,
    patient: PatientKey | None,
    now: datetime,
    rules: StepRules,
    before: Status | None = None,
) -> Decision:
    """Return the first version; `before` is what its visit is known as, if that is final."""
    if patient is None:
        raise Refused("PATIENT_REQUIRED", "the first event of an appointment names its patient", "appointment.patient")
    if clinic_id is None:
        raise Refused("CLINIC_REQUIRED", "the first event of an appointment names its clinic", "appointment.clinic")
    blank = _tombstone(command, now)
    booked_at = blank.event_time if command.status in VISIT_HAPPENED_OR_WILL else None
    fields, warnings = fields_of(blank, command, clinic_id, patient)
    never_booked = command.status in BEFORE_BOOKED
    blank = blank._replace(version=1, schedule_set_at=now, first_booked_at=booked_at, never_booked=never_booked)
    first = blank._replace(**fields)
    if before is not None or command.mode is not IngestMode.BACKFILL:  # history begins as it ended
        warnings += judge(Taken(Actor.UPSTREAM, before, command.status), command.reason, rules)
    return Decision(Result.APPLIED, first, warnings)


def _next(
    held: AppointmentState,
    command: BookAppointment,
    order: Order,
    both: Merged,
    now: datetime,
    clinics: Mapping[str, ClinicState],
    rules: StepRules,
) -> Decision:
    fields, said, warnings = both
    if all(getattr(held, name) == value for name, value in fields.items()):
        if command.is_ours:
            return Decision(Result.REPEAT, held)
        noted = moved_on(held, command, now)
        known = said == Said(noted.said_status, noted.said_confirmed, noted.said_reason, noted.said_starts_at)
        return Decision(Result.REPEAT, noted if known else noted._replace(**said._asdict()), warnings)
    if order is Order.SAME:
        raise _conflict()
    anew = plans_anew(held, fields, clinics)
    event_time = command.occurred_at or now
    booked_at = event_time if command.status in VISIT_HAPPENED_OR_WILL else None
    applied = held._replace(
        version=held.version + 1,
        mode=command.mode,
        event_time=event_time,
        ingest_time=now,
        caused_by=_cause(command),
        reason=command.reason if said.said_status is None or command.is_ours else held.reason,
        schedule_gen=held.schedule_gen + anew,
        schedule_set_at=now if anew else held.schedule_set_at,
        first_booked_at=held.first_booked_at or booked_at,
        **fields,
        **said._asdict(),
        **_place_in_order(held, command, now),
    )
    taken = _step(held, applied, command)
    return Decision(Result.APPLIED, applied, warnings + judge(taken, command.reason, rules))


def _step(held: AppointmentState, applied: AppointmentState, command: BookAppointment) -> Taken:
    held_for = applied.event_time - held.event_time
    if command.is_ours:
        return Taken(Actor.DESK, held.status, applied.status, held_for=held_for)
    said = said_last(held).said_status or held.status
    return Taken(Actor.UPSTREAM, held.status, applied.status, (said, command.status), held_for, not held.never_booked)


def _place_in_order(held: AppointmentState, command: BookAppointment, now: datetime) -> dict[str, Any]:
    """Return where a version stands among upstream's words; one from the desk leaves that to the next of upstream."""
    if command.is_ours:
        return {}
    return {
        "sequence": held.sequence if command.sequence is None else command.sequence,
        "source_time": latest(stands_at(held, now), stood_at(command, now)),
        "arrived_at": command.arrived_at or now,
        "arrived_offset": command.arrived_offset,
    }


def _cause(command: BookAppointment) -> str:
    door = CHECKED_IN_AT_DESK if command.check_in else AT_DESK if command.at_desk else ""
    return f"{door}{command.client}/{command.key}"


def _conflict() -> Refused:
    return Refused("SEQUENCE_CONFLICT", "another event of this appointment has the same sequence", "sequence")
