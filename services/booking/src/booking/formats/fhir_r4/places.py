"""Where in FHIR's resources what is taken stands, for whoever asks."""

from typing import Any

from booking.patients.domain.details import PersonDetails
from booking.values.warned import Details

_OF_PATIENT = {
    "given_name": "Patient.name.given",
    "family_name": "Patient.name.family",
    "language": "Patient.communication",
    "deceased": "Patient.deceased[x]",
}
"""Field of what is said of a patient → where it stands."""


def note_visit(appointment: Any, patient: Any, details: Details) -> None:
    """Note where a visit's own fields stand: each has one place in an Appointment.

    Args:
        patient: His resource; None if none came along.
    """
    details.took("status", "Appointment.status")
    by = "its identifiers, then its id" if appointment.identifier else "its id"
    details.took("appointment", "Appointment.identifier" if appointment.identifier else "Appointment.id", "", by)
    alone = "identifiers, then id, then reference"
    details.took("patient", "Appointment.participant.actor", "", alone if patient is None else f"the Patient's {alone}")
    times = (("starts_at", "start"), ("ends_at", "end"), ("reason", "cancelationReason"))
    for field, name in times:
        if getattr(appointment, name) is not None:
            details.took(field, f"Appointment.{name}")
    if appointment.meta is not None and appointment.meta.lastUpdated is not None:
        details.took("occurred_at", "Appointment.meta.lastUpdated")
    details.took("mode", "", "mode")


def note_person(person: PersonDetails, details: Details) -> None:
    """Note where what is said of a patient stands."""
    for field, place in _OF_PATIENT.items():
        if getattr(person, field) is not None:
            details.took(f"person.{field}", place)
    for field, mine, others in (
        ("mobile", person.own.mobiles, person.guardians.mobiles),
        ("email", person.own.emails, person.guardians.emails),
    ):
        if mine:
            details.took(f"person.{field}", "Patient.telecom")
        if others:
            details.took(f"person.{field}", "Patient.contact.telecom", "", "where he has none of his own")
