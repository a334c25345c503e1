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
    TODAY = "today"  # R19: the 8:00 message of the visit's day
    NO_SHOW = "no-show"  # follow-up of a missed visit; off unless the clinic wants it
    CLEARANCE_MISSING = "clearance-missing"  # R34: what a visit lacks to be checked in, days before it
    PROVIDER_BOOKED = "provider-booked"  # R20
    PROVIDER_MOVED = "provider-moved"  # R27
    PROVIDER_CANCELLED = "provider-cancelled"  # R27
    PROVIDER_ARRIVED = "provider-arrived"  # R28
    PROVIDER_NOT_CLEARED = "provider-not-cleared"  # R34: checked in upstream, and lacks what the clinic requires
    PROVIDER_DAY = "provider-day"  # D18: the provider's list of the day


class DeliveryState(StrEnum):
    """What happened to a message after a carrier accepted it (D17), weakest evidence first.

    A state only moves forward in this order (G6): who has read a message has received it, whatever was
    reported before.
    """

    UNKNOWN = "unknown"
    UNDELIVERED = "undelivered"
    DELIVERED = "delivered"
    READ = "read"


DELIVERY = (
    "What the carrier has said since it took the message. `unknown`, the usual case by email: it has said nothing, "
    "which does not mean that anything went wrong."
)
"""What APIs say of a delivery state in their descriptions."""


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
    delivery_state: DeliveryState = DeliveryState.UNKNOWN
    at: Instant
    attempts: int = Field(ge=0)
    caused_by: str


NOTIFICATION_CHANGED: Literal["notification.changed.v1"] = "notification.changed.v1"
