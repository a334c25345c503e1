"""The topic `notifications`, owned by the notifier: what became of each message."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import Field

from schemas.model import Contract, Instant
from schemas.reminders import Reason


class Channel(StrEnum):
    """A delivery channel; each has a lane of its own."""

    IN_APP = "in-app"
    EMAIL = "email"
    SMS = "sms"
    WHATSAPP = "whatsapp"


class Kind(StrEnum):
    """What a message is about."""

    CONFIRMATION = "confirmation"  # R22
    MOVED = "moved"  # R27
    CANCELLED = "cancelled"  # R27
    REMINDER = "reminder"  # R23
    PROVIDER_BOOKED = "provider-booked"  # R20


class Outcome(StrEnum):
    """What is known of a notification now.

    ACCEPTED, FAILED and SKIPPED are final; UNKNOWN is settled later (G5).
    """

    ACCEPTED = "accepted"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class NotificationChanged(Contract):
    """The outcome of one notification. `version` rises with every outcome of it."""

    notification_id: UUID
    version: int = Field(ge=1)
    appointment_id: UUID
    schedule_gen: int = Field(ge=1)
    kind: Kind
    recipient: Literal["patient", "provider"]
    reminder_id: UUID | None = None
    outcome: Outcome
    channel: Channel | None = None
    reason: Reason | None = None
    at: Instant
    attempts: int = Field(ge=0)
    caused_by: str


NOTIFICATION_CHANGED: Literal["notification.changed.v1"] = "notification.changed.v1"
