"""What booking says on the topic `clearances` of visits that are near and lack something (R34)."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from schemas.model import ClinicId, Contract, Instant, Version


class ClearanceMissing(Contract):
    """So many days before it a visit lacked what its clinic requires. Published once for each schedule and number.

    What lacks is not said here: whoever tells the patient reads it when the message leaves, as it is then.
    """

    appointment_id: UUID
    patient_id: UUID
    clinic_id: ClinicId
    appointment_version: Version
    schedule_gen: int = Field(ge=1)
    days: int = Field(ge=1, description="Before the visit, by the clinic's wall clock.")
    starts_at: Instant
    due: Instant = Field(description="So many days before the start.")
    not_after: Instant = Field(description="Later nothing of it is sent any more (D15).")
    caused_by: str = Field(description="The time slot: job, clinic, hour.")


CLEARANCE_MISSING: Literal["clearance.missing.v1"] = "clearance.missing.v1"
