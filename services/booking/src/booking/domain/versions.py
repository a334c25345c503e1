"""What one event makes of one appointment: the next version, or nothing (D40, D41)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from booking.domain.commands import UNSET, BookAppointment
from booking.domain.people import ClinicState
from booking.domain.policies import slugs_of
from booking.domain.refusals import Refused
from booking.domain.statuses import (
    ENDS_BEFORE_BEGINNING,
    NEEDS_NO_START,
    OWN_NO_SHOW,
    OWN_REPLY,
    VISIT_HAPPENED_OR_WILL,
    is_allowed,
)
from booking.domain.times import check_order
from schemas.appointments import SENDABLE, Mode, Status
from schemas.wire import provider_id

ILLEGAL_TRANSITION = "ILLEGAL_TRANSITION"
"""Warning: the state table does not have this step; it was accepted all the same (R33 is observed)."""

type PatientKey = UUID | tuple[str, str]
"""A patient's id, or (source, source's id) of one who has none yet."""


class Result(StrEnum):
    """What became of an event that was accepted."""

    APPLIED = "applied"
    REPEAT = "repeat"
    STALE = "stale"
    TOMBSTONE = "tombstone"


class State(NamedTuple):
    """What booking holds of one appointment. Version 0 is a tombstone: cancelled before it was ever booked.

    A tuple, because thousands of them are made, compared and written a second.

    Attributes:
        arrived_at: When what it says first came from outside. Booking's own changes (rules, no-shows, merges) leave it.
        arrived_offset: Where in the inbound topic, if by that.
    """

    source: str
    version: int
    status: Status
    sequence: int | None
    source_time: datetime | None
    event_time: datetime
    ingest_time: datetime
    confirmed: bool = False
    mode: Mode = Mode.LIVE
    patient: PatientKey | None = None
    clinic_id: str | None = None
    provider_id: UUID | None = None
    service_type: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    schedule_gen: int = 1
    schedule_set_at: datetime | None = None
    first_booked_at: datetime | None = None
    caused_by: str | None = None
    reason: str | None = None
    arrived_at: datetime | None = None
    arrived_offset: int | None = None


class Decision(NamedTuple):
    """The outcome: `state` is what is held from now on, a new version only if the result is APPLIED."""

    result: Result
    state: State
    warnings: tuple[str, ...] = ()


class _Order(StrEnum):
    OLDER = "older"
    SAME = "same"
    NEWER = "newer"
    BY_ARRIVAL = "by arrival"


def decide(
    held: State | None,
    command: BookAppointment,
    clinic_id: str | None,
    patient: PatientKey | None,
    now: datetime,
    clinics: Mapping[str, ClinicState] = MappingProxyType({}),
) -> Decision:
    """Return what `command` makes of the appointment held.

    Args:
        held: The state under the row's lock, None if nothing was ever heard of it.
        command: The event.
        clinic_id: The clinic it names, existing and allowed, or None for the one held.
        patient: The patient it names, or None for the one held.
        now: Domain time of acceptance.
        clinics: Code → clinic, for the rules of service types (D13).

    Raises:
        Refused: PATIENT_REQUIRED, CLINIC_REQUIRED, START_REQUIRED, END_BEFORE_START, SEQUENCE_CONFLICT.
    """
    if held is None:
        if command.status in ENDS_BEFORE_BEGINNING and not _is_history(command, clinic_id, patient):
            return Decision(Result.TOMBSTONE, _tombstone(command, now))
        return Decision(Result.APPLIED, _first(command, clinic_id, patient, now))
    order = _order(held, command)
    if order is _Order.OLDER:
        return Decision(Result.STALE, held)
    if held.version == 0:
        return _after_tombstone(held, command, order, clinic_id, patient, now)
    return _next(held, command, order, _fields(held, command, clinic_id, patient), now, clinics)


def _is_history(command: BookAppointment, clinic_id: str | None, patient: PatientKey | None) -> bool:
    """Say whether an import tells of a visit that was cancelled: it says whose it was and where, and is kept (D43).

    A live event of this kind has overtaken its booking, and an import that says less has nothing to keep.
    """
    return command.mode is Mode.BACKFILL and clinic_id is not None and patient is not None


def _order(held: State, command: BookAppointment) -> _Order:
    """Compare by the upstream's sequence, else by its last-updated time, else by arrival (design §4).

    Equal times say nothing: many upstreams write whole seconds. What came before what is held, and could only be taken
    now, is older: a dead letter that is replayed must not undo what was said since.
    """
    if held.sequence is not None and command.sequence is not None:
        if command.sequence == held.sequence:
            return _Order.SAME
        return _Order.NEWER if command.sequence > held.sequence else _Order.OLDER
    if held.source_time is not None and command.occurred_at is not None and held.source_time != command.occurred_at:
        return _Order.NEWER if command.occurred_at > held.source_time else _Order.OLDER
    return _Order.OLDER if _came_before(held, command) else _Order.BY_ARRIVAL


def _came_before(held: State, command: BookAppointment) -> bool:
    """Say whether a replayed event first came before what is held: by time, and within a batch by its place in it."""
    if command.arrived_at is None:
        return False
    if command.arrived_at < (held.arrived_at or held.ingest_time):
        return True
    here, there = command.arrived_offset, held.arrived_offset
    return here is not None and there is not None and here < there


def _tombstone(command: BookAppointment, now: datetime) -> State:
    return State(
        source=command.source,
        version=0,
        status=command.status,
        sequence=command.sequence,
        source_time=command.occurred_at,
        event_time=command.occurred_at or now,
        ingest_time=now,
        mode=command.mode,
        caused_by=_cause(command),
        reason=command.reason,
        arrived_at=command.arrived_at or now,
        arrived_offset=command.arrived_offset,
    )


def _after_tombstone(
    held: State,
    command: BookAppointment,
    order: _Order,
    clinic_id: str | None,
    patient: PatientKey | None,
    now: datetime,
) -> Decision:
    """A book that comes after its cancel, and is not known to be newer, was overtaken by it: stale (D41)."""
    ends = command.status in ENDS_BEFORE_BEGINNING
    if order is _Order.NEWER:
        if ends:
            return Decision(Result.TOMBSTONE, _tombstone(command, now))
        return Decision(Result.APPLIED, _first(command, clinic_id, patient, now))
    if ends:
        return Decision(Result.REPEAT, held)
    if order is _Order.SAME:
        raise _conflict()
    return Decision(Result.STALE, held)


def _first(command: BookAppointment, clinic_id: str | None, patient: PatientKey | None, now: datetime) -> State:
    if patient is None:
        raise Refused("PATIENT_REQUIRED", "the first event of an appointment names its patient", "appointment.patient")
    if clinic_id is None:
        raise Refused("CLINIC_REQUIRED", "the first event of an appointment names its clinic", "appointment.clinic")
    blank = _tombstone(command, now)
    booked_at = blank.event_time if command.status in VISIT_HAPPENED_OR_WILL else None
    fields = _fields(blank, command, clinic_id, patient)
    return blank._replace(version=1, schedule_set_at=now, first_booked_at=booked_at, **fields)


def _next(
    held: State,
    command: BookAppointment,
    order: _Order,
    fields: dict[str, Any],
    now: datetime,
    clinics: Mapping[str, ClinicState],
) -> Decision:
    if all(getattr(held, name) == value for name, value in fields.items()) or _is_old_news(held, fields, command):
        return Decision(Result.REPEAT, _moved_on(held, command))
    if order is _Order.SAME:
        raise _conflict()
    anew = _plans_anew(held, fields, clinics)
    event_time = command.occurred_at or now
    booked_at = event_time if command.status in VISIT_HAPPENED_OR_WILL else None
    applied = held._replace(
        version=held.version + 1,
        mode=command.mode,
        sequence=held.sequence if command.sequence is None else command.sequence,
        source_time=_latest(held.source_time, command.occurred_at),
        event_time=event_time,
        ingest_time=now,
        caused_by=_cause(command),
        reason=command.reason,
        arrived_at=command.arrived_at or now,
        arrived_offset=command.arrived_offset,
        schedule_gen=held.schedule_gen + anew,
        schedule_set_at=now if anew else held.schedule_set_at,
        first_booked_at=held.first_booked_at or booked_at,
        **fields,
    )
    legal = is_allowed(held.status, command.status, command.reason, event_time - held.event_time)
    return Decision(Result.APPLIED, applied, () if legal else (ILLEGAL_TRANSITION,))


def _fields(base: State, command: BookAppointment, clinic_id: str | None, patient: PatientKey | None) -> dict[str, Any]:
    """Return the fields of the appointment as the command leaves them; a visit that moves keeps its length.

    What was confirmed was its time: a visit that moves is not confirmed any more, unless the command says so.
    """
    starts_at = base.starts_at if command.starts_at is UNSET else command.starts_at
    if command.ends_at is not UNSET:
        ends_at = command.ends_at
    elif starts_at != base.starts_at:
        ends_at = _shifted_end(base, starts_at)
    else:
        ends_at = base.ends_at
    if starts_at is None and command.status not in NEEDS_NO_START:
        raise Refused("START_REQUIRED", "an appointment of this status has a start", "appointment.start")
    check_order(starts_at, ends_at)
    provider = base.provider_id
    if command.provider is not UNSET:
        provider = None if command.provider is None else _provider_id(command.source, command.provider)
    return {
        "status": command.status,
        "confirmed": base.confirmed and starts_at == base.starts_at
        if command.confirmed is UNSET
        else command.confirmed,
        "patient": patient or base.patient,
        "clinic_id": clinic_id or base.clinic_id,
        "provider_id": provider,
        "service_type": base.service_type if command.service_type is UNSET else command.service_type,
        "starts_at": starts_at,
        "ends_at": ends_at,
    }


_provider_id = lru_cache(maxsize=16_384)(provider_id)


def _shifted_end(base: State, starts_at: datetime | None) -> datetime | None:
    if starts_at is None or base.starts_at is None or base.ends_at is None:
        return None
    return starts_at + (base.ends_at - base.starts_at)


def _plans_anew(held: State, changed: dict[str, Any], clinics: Mapping[str, ClinicState]) -> bool:
    """Say whether the schedule begins anew (design §2).

    So it does with another time or clinic, with a service that has other rules, and on the way back to a status
    that may be sent to (D10). A change of the rules themselves does not: D14 knows since when each is in force.
    """
    return (
        held.starts_at != changed["starts_at"]
        or held.clinic_id != changed["clinic_id"]
        or (held.service_type != changed["service_type"] and _rules_differ(held, changed["service_type"], clinics))
        or (changed["status"] in SENDABLE and held.status not in SENDABLE)
    )


def _is_old_news(held: State, fields: dict[str, Any], command: BookAppointment) -> bool:
    """Say whether upstream only repeats what was so before booking itself found that nobody came (D19).

    Nor does it know of a patient who cancelled by reply (B11); but a reason given is a correction of that (D42).
    """
    cause = held.caused_by or ""
    no_show = held.status is Status.NOSHOW and cause.startswith(OWN_NO_SHOW)
    by_reply = held.status is Status.CANCELLED and cause.startswith(OWN_REPLY) and command.reason is None
    if not no_show and not by_reply:
        return False
    return all(value == (Status.BOOKED if name == "status" else getattr(held, name)) for name, value in fields.items())


def _rules_differ(held: State, service_type: str | None, clinics: Mapping[str, ClinicState]) -> bool:
    clinic = clinics.get(held.clinic_id or "")
    if clinic is None:
        return False
    return slugs_of(clinic.policy_for(held.service_type).rules) != slugs_of(clinic.policy_for(service_type).rules)


def _moved_on(held: State, command: BookAppointment) -> State:
    """Return the held state with the newer order noted, so that what is older than this stays stale."""
    sequence = held.sequence if command.sequence is None else command.sequence
    source_time = _latest(held.source_time, command.occurred_at)
    if (sequence, source_time) == (held.sequence, held.source_time):
        return held
    return held._replace(sequence=sequence, source_time=source_time)


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at is not None), default=None)


def _cause(command: BookAppointment) -> str:
    return f"{command.client}/{command.key}"


def _conflict() -> Refused:
    return Refused("SEQUENCE_CONFLICT", "another event of this appointment has the same sequence", "sequence")
