"""What a patient says about channels, as it is put and shown."""

from dataclasses import replace
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from chassis.api.query_fields import By
from notifier.gate.domain.visit import Preferences


class PreferencesBody(BaseModel):
    """The channels a patient leaves on. All three are to be given."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"whatsapp": False, "sms": True, "email": True}}
    )

    whatsapp: StrictBool
    sms: StrictBool
    email: StrictBool
    by: By | None = None

    @property
    def said(self) -> Preferences:
        """What is on from now on."""
        return Preferences(self.whatsapp, self.sms, self.email)


class PreferencesPatch(BaseModel):
    """The channels to switch; what is left out stays as it is. A channel is on or off: null is refused."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"sms": True, "by": "front desk"}})

    whatsapp: StrictBool = Field(default=False, description="Left out: as it is.")
    sms: StrictBool = Field(default=False, description="Left out: as it is.")
    email: StrictBool = Field(default=False, description="Left out: as it is.")
    by: By | None = None

    @model_validator(mode="after")
    def _names_a_channel(self) -> Self:
        if not self.model_fields_set - {"by"}:
            raise ValueError("name at least one of whatsapp, sms and email")
        return self

    def merged(self, held: Preferences) -> Preferences:
        """Return what is on from now on, where this was on before."""
        named = {name: getattr(self, name) for name in self.model_fields_set - {"by"}}
        return replace(held, **named)


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
