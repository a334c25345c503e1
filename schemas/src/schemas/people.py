"""The reference topics `patients`, `providers` and `clinics`: compacted snapshots, owned by booking."""

from typing import Literal
from uuid import UUID

from schemas.appointments import ReminderPolicy
from schemas.model import ClinicId, Contract, MainFileNumber, Version

type ContactOf = Literal["guardian"]
"""Whose a patient's mobile and email are, if not his own."""


class Patient(Contract):
    """A registered patient. A tombstone under the patient's id erases him.

    Attributes:
        contact_of: Whose mobile and email are; None: his own.
    """

    patient_id: UUID
    version: Version
    main_file: MainFileNumber
    given_name: str | None = None
    family_name: str | None = None
    language: str | None = None
    mobile: str | None = None
    email: str | None = None
    consent: bool = True
    do_not_contact: bool = False
    deceased: bool = False
    contact_of: ContactOf | None = None
    merged_into: UUID | None = None


class Provider(Contract):
    """A clinician who may be assigned to appointments."""

    provider_id: UUID
    version: Version
    name: str


class Clinic(Contract):
    """A clinic with its zone and its default reminder policy."""

    clinic_id: ClinicId
    version: Version
    name: str
    zone: str
    languages: tuple[str, ...] = ("en",)
    policy: ReminderPolicy


PATIENT_CHANGED: Literal["patient.changed.v1"] = "patient.changed.v1"
PROVIDER_CHANGED: Literal["provider.changed.v1"] = "provider.changed.v1"
CLINIC_CHANGED: Literal["clinic.changed.v1"] = "clinic.changed.v1"
