"""Two writers of one visit: what upstream says counts by what upstream itself said last, not by what is held (D55).

A patient cancels or confirms by answering a message, and booking finds that nobody came; upstream need not have heard
of it. An event that repeats upstream's own status and start does not undo that, whatever else it changes; one that
changes them does. A visit is moved by upstream alone, so the start that is held is its own.
"""

from typing import Any, NamedTuple

from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.state import AppointmentState
from booking.appointments.domain.statuses import OWN_NO_SHOW, OWN_REPLY
from booking.values.unset import UNSET
from booking.values.warned import KEPT_NO_SHOW, KEPT_PATIENT_REPLY, Warned
from schemas.appointments import Status


class Said(NamedTuple):
    """What upstream said last, where it is not what is held; None: it is.

    Attributes:
        said_reason: The reason given with `said_status`, if any.
    """

    said_status: Status | None = None
    said_confirmed: bool | None = None
    said_reason: str | None = None


NOTHING_ELSE = Said()


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
    confirmed = command.confirmed
    if confirmed is UNSET:
        confirmed = bool(said.said_confirmed) and told["starts_at"] == held.starts_at
    fields, warnings = told, list[Warned]()
    if _is_anothers(held, told):
        fields = {**told, "confirmed": confirmed}
    elif not _is_news(held, told, command, said):
        if held.status is not command.status:
            code = KEPT_NO_SHOW if held.status is Status.NOSHOW else KEPT_PATIENT_REPLY
            warnings.append(Warned(code, "appointment.status"))
        kept = held.confirmed if confirmed == said.said_confirmed else confirmed
        if kept != confirmed and command.confirmed is not UNSET:
            warnings.append(Warned(KEPT_PATIENT_REPLY, "appointment.confirmed"))
        fields = {**told, "status": held.status, "confirmed": kept}
    word = Said(command.status, confirmed, command.reason)
    return Merged(fields, _apart(word, fields["status"], fields["confirmed"]), tuple(warnings))


def own_version(held: AppointmentState, after: AppointmentState) -> AppointmentState:
    """Return a version that booking itself made, with what upstream said of the one before kept apart."""
    return after._replace(**_apart(said_last(held), after.status, after.confirmed)._asdict())


def said_last(held: AppointmentState) -> Said:
    """Return all of what upstream said last, also where it is what is held."""
    return Said(
        held.said_status or held.status,
        held.confirmed if held.said_confirmed is None else held.said_confirmed,
        held.said_reason if held.said_status else held.reason,
    )


def said_before(caused_by: str | None, status: Status, *, confirmed: bool) -> Said:
    """Return what upstream must have said of a visit of which that was not noted: what booking changes, was booked.

    Rows of the release before are such: theirs is what is held, unless the last to change it was not upstream.
    """
    cause = caused_by or ""
    if cause.startswith((OWN_REPLY, OWN_NO_SHOW)) and status is not Status.BOOKED:
        return Said(Status.BOOKED)
    return Said(said_confirmed=False) if cause.startswith(OWN_REPLY) and confirmed else NOTHING_ELSE


def _apart(said: Said, status: Status, confirmed: bool) -> Said:
    """Return what upstream said where it is not what is so."""
    is_status = said.said_status is status
    return Said(
        None if is_status else said.said_status,
        None if said.said_confirmed == confirmed else said.said_confirmed,
        None if is_status else said.said_reason,
    )


def _is_anothers(held: AppointmentState, told: dict[str, Any]) -> bool:
    """Say whether the visit is given to another patient: what the one answered is not the other's answer."""
    return told["patient"] != held.patient and held.status is not Status.NOSHOW


def _is_news(held: AppointmentState, told: dict[str, Any], command: BookAppointment, said: Said) -> bool:
    """Say whether upstream's own word is another: its status, its start, or a reason for which it says the same again.

    A reason that comes with another change is the reason of that; what nobody came to takes no reason to stay so (D42).
    """
    if command.status is not said.said_status or told["starts_at"] != held.starts_at:
        return True
    if command.reason in {None, said.said_reason} or held.status is Status.NOSHOW:
        return False
    return all(value == getattr(held, name) for name, value in told.items() if name != "status")
