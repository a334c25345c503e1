"""What a patient says about channels, as it is put and shown."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StrictBool

from chassis.api.query_fields import By


class PreferencesBody(BaseModel):
    """The channels a patient leaves on. All three are to be given."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"whatsapp": False, "sms": True, "email": True}}
    )

    whatsapp: StrictBool
    sms: StrictBool
    email: StrictBool
    by: By = "operator"


class PreferencesView(BaseModel):
    """One version of a patient's preferences; `version` rises with every change."""

    patient_id: UUID
    version: int
    whatsapp: bool
    sms: bool
    email: bool
    changed_at: datetime
    changed_by: str


class PreferencesHistory(BaseModel):
    """Every version, newest first."""

    items: list[PreferencesView]
