"""What `GET /v1/notifications` answers."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from notifier.ledger.domain.states import NotificationState
from schemas.notifications import DELIVERY, Channel, DeliveryState, Kind, Outcome
from schemas.reminders import Reason


class AttemptView(BaseModel):
    """One call to a carrier, as written down before and after it. `attempt_id` is the carrier's reference.

    `preference_version`: of the preferences that its gate saw; null: nothing had been said (B13).
    """

    attempt_id: UUID
    ordinal: int
    channel: Channel
    gated_version: int
    gated_at: datetime
    answered_at: datetime | None
    outcome: str | None
    code: str | None
    delivery_state: DeliveryState = Field(description=DELIVERY)
    preference_version: int | None
    with_attempt: UUID | None = Field(
        None, description="The attempt by which the carrier knows the call, made for several visits; null: this one."
    )


class NotificationView(BaseModel):
    """One message to one recipient. `outcome` is null while it is still being worked on.

    `steps` are the channels passed over, each with its reason; `ordinal` above 0: a person sent it again. `read_at`:
    when a provider's notice was read in his inbox; null for other messages, and while it is unread.
    """

    notification_id: UUID
    appointment_id: UUID
    kind: Kind
    recipient: str
    state: NotificationState
    outcome: Outcome | None
    channel: Channel | None
    reason: Reason | None
    delivery_state: DeliveryState = Field(description=DELIVERY)
    steps: list[dict[str, str]]
    ordinal: int
    clinic_id: str | None
    accepted_at: datetime | None
    schedule_gen: int
    reminder_id: UUID | None
    attempts: int
    not_after: datetime | None
    next_attempt_at: datetime
    caused_by: str
    created_at: datetime
    changed_at: datetime
    read_at: datetime | None = None
    calls: list[AttemptView]


class NotificationList(BaseModel):
    """Every message about one appointment, oldest first."""

    items: list[NotificationView]
