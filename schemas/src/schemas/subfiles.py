"""The topic `subfiles`, owned by records."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from schemas.model import ClinicId, Contract, SubFileNumber, Version


class SubFileStatus(StrEnum):
    """ACTIVE has a number; PARKED waits for the patient's main file (D5)."""

    ACTIVE = "ACTIVE"
    PARKED = "PARKED"
    CLOSED = "CLOSED"


class SubFile(Contract):
    """A patient's file at one clinic."""

    sub_file_id: UUID
    version: Version
    status: SubFileStatus
    number: SubFileNumber | None = None
    patient_id: UUID
    clinic_id: ClinicId
    provider_id: UUID | None = None
    appointment_id: UUID
    caused_by: str
    reason: str | None = None


SUB_FILE_CHANGED: Literal["sub_file.changed.v1"] = "sub_file.changed.v1"
