"""What the work list is asked and answers."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from chassis.api.query_fields import By
from notifier.ledger.domain.states import NotificationState
from notifier.staff.work_list.domain import Act
from schemas.model import ClinicId
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason

PAGE, LONGEST_PAGE = 100, 500


class StepView(BaseModel):
    """A channel that was passed over, and why."""

    channel: Channel
    reason: Reason


class ItemView(BaseModel):
    """A message that waits for a person. `code` is the carrier's last word; `actions` what may be done.

    One that this version cannot read is listed too: without what it cannot read of it, and nothing may be done.
    """

    notification_id: UUID
    appointment_id: UUID
    patient_id: UUID | None
    patient_name: str | None
    clinic_id: str | None
    kind: Kind | None
    ordinal: int
    state: NotificationState
    reason: Reason | None
    reason_text: str
    channel: Channel | None
    code: str | None
    steps: list[StepView]
    attempts: int
    starts_at: datetime
    zone: str | None
    not_after: datetime | None
    changed_at: datetime
    actions: list[Act]


class ReplyItem(BaseModel):
    """A patient's answer that no machine may decide; `PUT /v1/replies/{reply_id}/done` takes it off."""

    reply_id: UUID
    channel: Channel
    text: str | None
    meaning: str
    why: str
    appointment_id: UUID | None
    clinic_id: str | None
    received_at: datetime


class WorkList(BaseModel):
    """Messages, soonest visit first; `next_after` is the `after` of the next page. Replies are on the first."""

    items: list[ItemView]
    replies: list[ReplyItem]
    next_after: str | None = None


class DoneView(BaseModel):
    """What a person did with a message. `arrived`: of settle; `resent_as`: the new message, of resend."""

    act: Act
    acted_by: str
    acted_at: datetime
    arrived: bool | None
    resent_as: UUID | None


class NamedView(BaseModel):
    """A message of any state, as far as one is told from another. `kind` is null if this version does not know it."""

    notification_id: UUID
    appointment_id: UUID | None
    clinic_id: str | None
    kind: Kind | None
    channel: Channel | None
    state: NotificationState
    starts_at: datetime | None
    done: list[DoneView] = Field(description="What people did with it, oldest first.")


class Named(BaseModel):
    """Up to 10 messages whose ids begin as asked, in the order of their ids, on the list or not."""

    items: list[NamedView]


class Beginning(BaseModel):
    """How an id begins: 8 hex digits at least; hyphens may be left out."""

    prefix: str = Field(pattern="^[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{1,4}){0,6}$", examples=["01a20fc8-df9c"])

    @property
    def bounds(self) -> tuple[UUID, UUID]:
        """The lowest and the highest id that begin so."""
        digits = self.prefix.replace("-", "")
        return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


class Filters(BaseModel):
    """Which of them. `state`: failed, unknown or skipped (no contact)."""

    clinic: ClinicId | None = None
    reason: Reason | None = None
    state: NotificationState | None = None
    ahead: bool = Field(False, description="Only of visits that have not begun.")
    after: str | None = Field(None, max_length=200)
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = PAGE


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ByBody(_Body):
    """Who does it, for the log of acts."""

    by: By = "operator"


class SettleBody(ByBody):
    """What was found out: did the message arrive?"""

    arrived: StrictBool
