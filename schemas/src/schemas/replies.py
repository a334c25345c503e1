"""The topic `patient-replies`, owned by the notifier: what patients ask of booking by answering a message (B11)."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import Field

from schemas.model import ClinicId, Contract, Instant
from schemas.notifications import Channel


class ReplyAnswer(StrEnum):
    """What the patient asks for."""

    CONFIRM = "confirm"
    CANCEL = "cancel"


class PatientReplied(Contract):
    """One answer of a patient, understood. It holds only while the visit is at the time that he was told of."""

    reply_id: UUID
    appointment_id: UUID
    patient_id: UUID
    clinic_id: ClinicId
    schedule_gen: int = Field(ge=1)
    answer: ReplyAnswer
    channel: Channel
    at: Instant


PATIENT_REPLIED: Literal["patient.replied.v1"] = "patient.replied.v1"
