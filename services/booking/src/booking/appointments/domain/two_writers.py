"""Two writers of one visit: what upstream says counts by what upstream itself said last, not by what is held (D55).

A patient cancels or confirms by answering a message, a person cancels or moves at the clinic's desk, and booking finds
that nobody came; upstream need not have heard of it. An event that repeats upstream's own status and start does not
undo that, whatever else it changes; one that changes them does (0042, 0049).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from booking.appointments.domain.changes import told_time
from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.state import AppointmentState
from booking.appointments.domain.statuses import CANCELLED_BY_PATIENT, OWN_NO_SHOW, OWN_REPLY
from booking.values.unset import UNSET
from booking.values.warned import KEPT_DESK_CHANGE, KEPT_NO_SHOW, KEPT_PATIENT_REPLY, Warned
from schemas.appointments import Status


class Said(NamedTuple):
    """What upstream said last, where it is not what is held; None: it is.

    Attributes:
        said_reason: The reason given with them, if any.
        said_starts_at: Its own start, where the visit was moved at the desk.
    """

    said_status: Status | None = None
    said_confirmed: bool | None = None
    said_reason: str | None = None
    said_starts_at: datetime | None = None


NOTHING_ELSE = Said()

SHIFTED_BY = timedelta(hours=12)
"""A start that moves by less is still that of the visit for which the patient was checked in."""


class Merged(NamedTuple):
    """The fields of both writers' visit, what upstream said of it, and what of that was not taken."""

    fields: dict[str, Any]
    said: Said
    warnings: tuple[Warned, ...] = ()


def merged(held: AppointmentState, told: dict[str, Any], command: BookAppointment) -> Merged:
    """Return the fields that a command leaves, with what the patient or booking itself did since upstream's last word.

    Args:
        told: The fields as the command alone would leave them, from `fields_of`.
    """
    said = said_last(held)
    if command.is_ours:
        return Merged(told, _apart(said, told))
    start = said.said_starts_at if told_time(command, command.starts_at) is UNSET else told["starts_at"]
    confirmed = command.confirmed
    if confirmed is UNSET:
        confirmed = bool(said.said_confirmed) and start == said.said_starts_at
    stays, warnings = _where_it_was_moved(held, told, command, said)
    if _is_anothers(held, told):
        fields, warnings = {**told, "confirmed": confirmed}, []
    elif _is_said_again(held, stays, command, said, start):
        fields, warnings = told, []
    elif _is_anothers_check_in(held, told):
        fields = {**stays, "confirmed": confirmed}
    elif _says_otherwise(held, command, said, start):
        fields = stays
    else:
        fields, kept = _kept(held, stays, command, confirmed, said)
        warnings += kept
    word = Said(command.status, confirmed, command.reason, start)
    return Merged(fields, _apart(word, fields), tuple(warnings))


def _where_it_was_moved(
    held: AppointmentState, told: dict[str, Any], command: BookAppointment, said: Said
) -> tuple[dict[str, Any], list[Warned]]:
    """Return the fields with the start that the desk gave, if upstream only names its own last one again."""
    is_old_start = held.said_starts_at is not None and told["starts_at"] == said.said_starts_at
    if not is_old_start or held.starts_at is None:
        return told, []
    ends_at = None if told["ends_at"] is None else held.starts_at + (told["ends_at"] - told["starts_at"])
    confirmed = held.confirmed if command.confirmed is UNSET else told["confirmed"]
    fields = {**told, "starts_at": held.starts_at, "ends_at": ends_at, "confirmed": confirmed}
    return fields, [Warned(KEPT_DESK_CHANGE, "appointment.start")]


def _kept(
    held: AppointmentState, told: dict[str, Any], command: BookAppointment, confirmed: bool, said: Said
) -> tuple[dict[str, Any], list[Warned]]:
    """Return the fields of an event that repeats upstream's status and start: what others made of them stays."""
    warnings = list[Warned]()
    if held.status is not command.status:
        warnings.append(Warned(_whose(held), "appointment.status"))
    is_as_before = confirmed == said.said_confirmed and told["patient"] == held.patient
    flag = held.confirmed if is_as_before else confirmed
    if flag != confirmed and command.confirmed is not UNSET:
        code = KEPT_PATIENT_REPLY if held.said_starts_at is None else KEPT_DESK_CHANGE
        warnings.append(Warned(code, "appointment.confirmed"))
    return {**told, "status": held.status, "confirmed": flag}, warnings


def _whose(held: AppointmentState) -> str:
    """Return the warning that says who gave the visit the status that is not upstream's."""
    if held.status is Status.NOSHOW:
        return KEPT_NO_SHOW
    return KEPT_PATIENT_REPLY if held.reason == CANCELLED_BY_PATIENT else KEPT_DESK_CHANGE


def own_version(held: AppointmentState, after: AppointmentState) -> AppointmentState:
    """Return a version that booking itself made, with what upstream said of the one before kept apart."""
    return after._replace(**_apart(said_last(held), after._asdict())._asdict())


def said_last(held: AppointmentState) -> Said:
    """Return all of what upstream said last, also where it is what is held."""
    return Said(
        held.said_status or held.status,
        held.confirmed if held.said_confirmed is None else held.said_confirmed,
        held.said_reason if held.said_status or held.said_starts_at else held.reason,
        held.said_starts_at or held.starts_at,
    )


def said_before(caused_by: str | None, status: Status, *, confirmed: bool) -> Said:
    """Return what upstream must have said of a visit of which that was not noted: what booking changes, was booked.

    Rows of the release before are such: theirs is what is held, unless the last to change it was not upstream.
    """
    cause = caused_by or ""
    if cause.startswith((OWN_REPLY, OWN_NO_SHOW)) and status is not Status.BOOKED:
        return Said(Status.BOOKED)
    return Said(said_confirmed=False) if cause.startswith(OWN_REPLY) and confirmed else NOTHING_ELSE


def _apart(said: Said, fields: Mapping[str, Any]) -> Said:
    """Return what upstream said where it is not what is so."""
    is_status, is_start = said.said_status is fields["status"], said.said_starts_at == fields["starts_at"]
    return Said(
        None if is_status else said.said_status,
        None if said.said_confirmed == fields["confirmed"] else said.said_confirmed,
        None if is_status and is_start else said.said_reason,
        None if is_start else said.said_starts_at,
    )


def _says_otherwise(held: AppointmentState, command: BookAppointment, said: Said, start: datetime | None) -> bool:
    """Say whether upstream changes its status or start, so that its word counts.

    Of who was checked in at the desk it may only now say that he arrived, or for the first time that he is booked; and
    a slot that runs late, or was brought forward, does not send him out of the waiting room: the visit has its new
    start, and he stays checked in.
    """
    is_in = held.status is Status.CHECKED_IN and held.said_status is not None
    is_on_the_way = command.status is Status.ARRIVED or (held.never_booked and command.status is Status.BOOKED)
    if command.status is not said.said_status and not (is_in and is_on_the_way):
        return True
    return start != said.said_starts_at and not (is_in and _is_shifted(said.said_starts_at, start))


def _is_shifted(before: datetime | None, start: datetime | None) -> bool:
    """Say whether a visit is still the one of that day: moved further, whoever was checked in came for another."""
    return before is not None and start is not None and abs(start - before) < SHIFTED_BY


def _is_anothers(held: AppointmentState, told: dict[str, Any]) -> bool:
    """Say whether the visit is given to another patient: what the one answered is not the other's answer.

    That the desk cancelled or moved it, and that nobody came, is of the visit and not of its patient.
    """
    is_own = held.status is Status.NOSHOW or held.said_starts_at is not None
    is_desks = held.said_status is not None and _whose(held) == KEPT_DESK_CHANGE
    return told["patient"] != held.patient and not (is_own or is_desks)


def _is_anothers_check_in(held: AppointmentState, told: dict[str, Any]) -> bool:
    """Say whether the visit is given to another patient than was checked in at the desk: he is not let in by that."""
    return held.status is Status.CHECKED_IN and held.said_status is not None and told["patient"] != held.patient


def _is_said_again(
    held: AppointmentState, told: dict[str, Any], command: BookAppointment, said: Said, start: datetime | None
) -> bool:
    """Say whether upstream says its own word again with a reason, and nothing else: a correction (D42).

    A reason that comes with another change is the reason of that; what nobody came to takes no reason to stay so.
    """
    if command.status is not said.said_status or start != said.said_starts_at:
        return False
    if command.reason in {None, said.said_reason} or held.status is Status.NOSHOW:
        return False
    return all(value == getattr(held, name) for name, value in told.items() if name != "status")
