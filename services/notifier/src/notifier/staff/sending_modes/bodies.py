"""What sending modes are asked and shown as."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Header
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from chassis.api.query_fields import By
from notifier.gate.domain.facts import SendingModeName
from notifier.staff.sending_modes import domain

IfMatch = Annotated[str | None, Header(description='The version that is replaced, such as "3"; left out: whatever.')]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ModeBody(_Body):
    """The installation's mode."""

    mode: SendingModeName
    by: By = "operator"


class ClinicBody(_Body):
    """Everything that a clinic chooses, whole: what is left out is the default."""

    mode: SendingModeName | None = Field(None, description="null: the installation's.")
    allow_list: list[StrictStr] = Field(default=[], max_length=domain.LONGEST_ALLOW_LIST)
    double_over_miss: StrictBool = False
    no_show_follow_up: StrictBool = False
    replies: StrictBool = False
    channel_windows: dict[str, tuple[StrictStr, StrictStr]] = Field(
        default={}, description="Channel → its hours.", examples=[{"sms": ["09:00", "20:00"]}]
    )
    by: By = "operator"


class Waiting(BaseModel):
    """Messages that wait at one clinic, under the mode that counts there. `due`: their instant has come."""

    clinic_id: str | None
    mode: SendingModeName
    own_mode: SendingModeName | None
    queued: int
    due: int


class SendingView(BaseModel):
    """The installation's mode. Version 0: nobody has switched it, and the setting NOTIFIER_SENDING_MODE counts."""

    mode: SendingModeName
    version: int
    changed_at: datetime | None = None
    changed_by: str | None = None
    queued: list[Waiting]


class ClinicSendingView(BaseModel):
    """What a clinic has chosen. Version 0: nothing. `effective_mode` is the one that counts."""

    clinic_id: str
    version: int
    mode: SendingModeName | None
    effective_mode: SendingModeName
    allow_list: list[str]
    double_over_miss: bool
    no_show_follow_up: bool
    replies: bool
    channel_windows: dict[str, tuple[str, str]]
    changed_at: datetime | None = None
    changed_by: str | None = None
    has_visits: bool = Field(description="Whether any visit of this clinic was ever seen.")
    queued: int
    due: int


class ChangeView(BaseModel):
    """One change: who, when, from what to what. `clinic_id` null: the installation's mode."""

    audit_id: int
    clinic_id: str | None
    changed_by: str
    changed_at: datetime
    before: dict[str, Any] | None
    after: dict[str, Any]


class ChangePage(BaseModel):
    """Changes, newest first; `next_before` is the `before` of the next page, null on the last."""

    items: list[ChangeView]
    next_before: int | None = None
