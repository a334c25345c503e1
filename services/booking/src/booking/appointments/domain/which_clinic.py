"""At which clinic a visit is: the one that a command names, by its code or by an identifier, or the client's own."""

from collections.abc import Mapping
from datetime import datetime

from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.known import Known
from booking.appointments.domain.state import AppointmentState
from booking.clinics.domain.clinic import ClinicState
from booking.door.domain import Client
from booking.values.refusals import UNKNOWN_CLINIC, Refused
from booking.values.times import wall_time
from booking.values.warned import Warned, dropped
from schemas.appointments import SENDABLE


def clinic_of(
    command: BookAppointment, held: AppointmentState | None, client: Client, known: Known
) -> tuple[str | None, tuple[Warned, ...]]:
    """Return the clinic named, or the client's default for a first command; None: the one held.

    Without one no visit can be kept, and nobody can be sent for to another; of a visit that has one and does not
    stand, another that nobody knows is a detail (0038).

    Raises:
        Refused: UNKNOWN_CLINIC, or it is none of the client's.
    """
    is_known = held is not None and held.clinic_id is not None
    if held is not None and held.clinic_id is not None:
        client.check_clinic(held.clinic_id)
    try:
        return _named(command, client, known, is_known=is_known), ()
    except Refused as refusal:
        if not is_known or command.status in SENDABLE or refusal.code != UNKNOWN_CLINIC:
            raise
        return None, (dropped(refusal),)


def check_zone(command: BookAppointment, clinic_id: str | None, clinics: Mapping[str, ClinicState]) -> None:
    """Refuse a start that was read by the zone of another clinic than the visit's, if that is another time there.

    Raises:
        Refused: NAIVE_TIME.
    """
    start, clinic = command.starts_at, clinics.get(clinic_id or "")
    if command.read_in is None or clinic is None or not isinstance(start, datetime):
        return
    if wall_time(start, command.read_in) != wall_time(start, clinic.zone):
        text = "the clinic's zone is not that of the default clinic: send an offset, or name the zone in the profile"
        raise Refused("NAIVE_TIME", text, "appointment.start")


def _named(command: BookAppointment, client: Client, known: Known, *, is_known: bool) -> str | None:
    named = command.clinic
    if named is None:
        triples = ((command.source, system, value) for system, value in command.clinic_identifiers)
        named = next((known.clinic_ids[t] for t in triples if t in known.clinic_ids), None)
    otherwise = command.clinic_otherwise or client.default_clinic
    if named is None and not is_known:
        named = otherwise
    if named is None:
        if command.clinic_identifiers and not (is_known and command.clinic_otherwise):
            raise _unknown(command)
        return None
    client.check_clinic(named)
    if named not in known.clinics:
        raise Refused(UNKNOWN_CLINIC, "no clinic has this code; PUT /v1/clinics first", "appointment.clinic")
    return named


def _unknown(command: BookAppointment) -> Refused:
    systems = ", ".join(sorted({system for system, _ in command.clinic_identifiers}))
    message = f"no clinic has an identifier that this message gives in {systems}; PUT /v1/clinics with identifiers"
    return Refused(UNKNOWN_CLINIC, message, "appointment.clinic")
