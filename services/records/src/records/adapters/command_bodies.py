"""What commands about sub-files take and answer."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chassis.api.query_fields import By, Line
from records.domain_commands import Act
from schemas.subfiles import SubFileStatus


class ActBody(BaseModel):
    """Who does it, and why: both are kept."""

    model_config = ConfigDict(extra="forbid")

    by: By
    reason: Annotated[Line, Field(examples=["treatment ended"])]


class ProviderBody(ActBody):
    """The new provider; null takes the present one away."""

    provider_id: UUID | None


class DoneView(BaseModel):
    """The sub-file after the command. `repeat`: it was so already, and nothing was written."""

    sub_file_id: UUID
    version: int
    status: SubFileStatus
    number: str | None
    provider_id: UUID | None
    repeat: bool


class CommandView(BaseModel):
    """What was done once. `before`, `after`: the status; of a change of provider, the provider's id."""

    version: int
    act: Act
    acted_by: str
    reason: str
    before: str | None
    after: str | None
    acted_at: datetime


class Commands(BaseModel):
    """What was done to a sub-file by command, newest first."""

    items: list[CommandView]
