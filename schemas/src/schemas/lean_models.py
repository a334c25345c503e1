"""Lean models of contracts, for consumers that decide but pass nothing on.

A lean model ("reading") names only the fields its reader decides by and skips the rest, which costs a third of the
whole contract's decoding. Every reading is a subset of its contract: what the contract accepts, the
reading accepts (canonical ids), with the same values. A reader that passes events on must decode the
contract, which keeps unknown fields.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from schemas.appointments import Status
from schemas.model import ClinicId, MainFileNumber, Version

CanonicalId = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]
"""A UUID as every writer of ours writes it. Kept as text: a UUID object costs twice the rest of its line."""


class Reading(BaseModel):
    """The base of every reading: frozen, and blind to fields it does not name."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class AppointmentReading(Reading):
    """Which appointment, of whom, where, and how far it has come."""

    appointment_id: CanonicalId
    version: Version
    status: Status
    patient_id: CanonicalId
    clinic_id: ClinicId
    provider_id: CanonicalId | None = None
    first_booked_at: str | None = None


class PatientReading(Reading):
    """A patient's main file and nothing personal."""

    patient_id: CanonicalId
    version: Version
    main_file: MainFileNumber
    merged_into: CanonicalId | None = None


class ProviderReading(Reading):
    """That a provider is known."""

    provider_id: CanonicalId
    version: Version
