"""What a command changes of an appointment's content, and whether that begins a schedule anew (D10)."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.state import AppointmentState
from booking.appointments.domain.statuses import HAPPENED, KEEPS_ITS_TIME, NEEDS_NO_START
from booking.clinics.domain.clinic import ClinicState
from booking.clinics.domain.own_policy import slugs_of
from booking.values.identity import PatientKey
from booking.values.refusals import Refused
from booking.values.unset import UNSET, Maybe
from booking.values.warned import END_IS_START, Warned, dropped
from schemas.appointments import SENDABLE, Status
from schemas.wire import provider_id


def fields_of(
    base: AppointmentState, command: BookAppointment, clinic_id: str | None, patient: PatientKey | None
) -> tuple[dict[str, Any], tuple[Warned, ...]]:
    """Return the fields of the appointment as the command leaves them, and what was dropped of them.

    A visit that moves keeps its length; one that is over or under way keeps its time when none is named. What was
    confirmed was its time: a visit that moves is not confirmed any more, unless the command says so.
    """
    told = told_time(command, command.starts_at)
    starts_at = base.starts_at if told is UNSET else told
    if starts_at is None and command.status not in NEEDS_NO_START:
        raise Refused("START_REQUIRED", "an appointment of this status has a start", "appointment.start")
    ends_at, warnings = _end(base, command, starts_at)
    provider = base.provider_id
    if command.provider is not UNSET:
        provider = None if command.provider is None else _provider_id(command.source, command.provider)
    fields = {
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
    return fields, warnings


def _end(
    base: AppointmentState, command: BookAppointment, starts_at: datetime | None
) -> tuple[datetime | None, tuple[Warned, ...]]:
    """Return the end, and a warning if none is told: one before the start counts as left out, one at it as none."""
    told = told_time(command, command.ends_at)
    if told is not UNSET and (told is None or starts_at is None or told > starts_at):
        return told, ()
    if told is not UNSET and told == starts_at:
        return None, (Warned(END_IS_START, "appointment.end"),)
    known = base.ends_at if starts_at == base.starts_at else _shifted_end(base, starts_at)
    before = Refused("END_BEFORE_START", "the visit ends before it starts", "appointment.end")
    return known, () if told is UNSET else (dropped(before),)


def as_known(held: AppointmentState | None, command: BookAppointment) -> BookAppointment:
    """Return the command with the status that the visit keeps, if it is one of those that the command leaves alone.

    What counts is what upstream itself said last: that a patient answered, or somebody at the desk acted, is kept apart
    from it (0042) and is not undone by a message that says nothing of it.
    """
    known = None if held is None else held.said_status or held.status
    return command._replace(status=known) if known is not None and known in command.keeps else command


def is_late_booking(held: AppointmentState, command: BookAppointment) -> bool:
    """Say whether this is the first booking of a visit to which upstream told before what happened (0052).

    Asked only of a command that nothing but its arrival says to be newer. With a reason it is a correction.
    """
    is_fact = held.never_booked and (held.said_status or held.status) in HAPPENED
    return is_fact and command.status is Status.BOOKED and command.reason is None and not command.is_ours


def filling_in(held: AppointmentState, command: BookAppointment) -> BookAppointment:
    """Return a late booking as what it adds to the visit: the details that were not told with what happened."""
    return command._replace(
        status=held.said_status or held.status,
        confirmed=UNSET,
        starts_at=UNSET,
        ends_at=command.ends_at if held.ends_at is None else UNSET,
        provider=command.provider if held.provider_id is None else UNSET,
        service_type=command.service_type if held.service_type is None else UNSET,
    )


def told_time(command: BookAppointment, time: Maybe[datetime | None]) -> Maybe[datetime | None]:
    """Return a start or an end as the command means it: no time takes none away from a visit that keeps its own."""
    return UNSET if time is None and command.status in KEEPS_ITS_TIME else time


def plans_anew(held: AppointmentState, changed: dict[str, Any], clinics: Mapping[str, ClinicState]) -> bool:
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


_provider_id = lru_cache(maxsize=16_384)(provider_id)


def _shifted_end(base: AppointmentState, starts_at: datetime | None) -> datetime | None:
    if starts_at is None or base.starts_at is None or base.ends_at is None:
        return None
    return starts_at + (base.ends_at - base.starts_at)


def _rules_differ(held: AppointmentState, service_type: str | None, clinics: Mapping[str, ClinicState]) -> bool:
    clinic = clinics.get(held.clinic_id or "")
    if clinic is None:
        return False
    return slugs_of(clinic.policy_for(held.service_type).rules) != slugs_of(clinic.policy_for(service_type).rules)
