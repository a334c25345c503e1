"""What a carrier's report makes of a message: evidence only ever adds up (G6, D17).

```
attempt       unknown ──▶ undelivered ──▶ delivered ──▶ read
```

An attempt moves to the right and never back, whatever order the reports come in. What it means for the message:

| report | the message is | it becomes |
|---|---|---|
| any, of its attempt | sending, unknown | accepted: the carrier has it, whatever our own call will say |
| any but undelivered, of an earlier attempt | not accepted | accepted by that attempt: it is not sent again |
| delivered, read | accepted | the same, its `delivery_state` further on |
| undelivered, of the accepted attempt | accepted, before its deadline | queued for the next step of its chain |
| undelivered, after delivered or read | anything | nothing: it did arrive |
| a repeat, or weaker evidence than what is held | anything | nothing |
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from notifier.ledger.domain.notification import Accepted, Notification
from notifier.ledger.domain.settlement import settle, undelivered
from notifier.ledger.domain.states import NotificationState
from schemas.notifications import Channel, DeliveryState

ORDER = (DeliveryState.UNKNOWN, DeliveryState.UNDELIVERED, DeliveryState.DELIVERED, DeliveryState.READ)
"""Weakest evidence first."""

ARRIVED = frozenset({DeliveryState.DELIVERED, DeliveryState.READ})


class Carrier(StrEnum):
    """Who reports. Each speaks of one channel."""

    TWILIO = "twilio"
    META = "meta"
    EMAIL = "email"

    @property
    def channel(self) -> Channel:
        """The channel whose attempts it may speak of."""
        return {"twilio": Channel.SMS, "meta": Channel.WHATSAPP, "email": Channel.EMAIL}[self.value]


class Reported(StrEnum):
    """What a report says, in our words."""

    ACCEPTED = "accepted"
    UNDELIVERED = "undelivered"
    DELIVERED = "delivered"
    READ = "read"

    @property
    def delivery_state(self) -> DeliveryState:
        """How far along the lattice it is."""
        return DeliveryState.UNKNOWN if self is Reported.ACCEPTED else DeliveryState(self.value)


@dataclass(frozen=True, slots=True)
class Receipt:
    """One report of a carrier.

    Attributes:
        key: What makes the same report the same, in the carrier's words.
        reference: The carrier's own id of the message.
        code: The carrier's reason, without personal data.
        occurred_at: By the carrier's clock.
        account: Whose secret signed it: of another account's messages it says nothing. None: it is not of one account.
        user_ids: Business-scoped ids of WhatsApp of the one who got the message.
    """

    carrier: Carrier
    key: str
    status: Reported
    attempt_id: UUID | None = None
    reference: str | None = None
    code: str | None = None
    occurred_at: datetime | None = None
    account: str | None = None
    user_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """An attempt as the ledger holds it.

    Attributes:
        outcome: What the carrier answered; None while nobody knows.
        is_lead: Whether the carrier knows the call by it; else by another, made for several visits.
    """

    attempt_id: UUID
    notification_id: UUID
    channel: Channel
    outcome: str | None
    delivery_state: DeliveryState
    is_lead: bool = True


@dataclass(frozen=True, slots=True)
class Effect:
    """What a report changes.

    Attributes:
        attempt: How far the attempt is now; None if it was there already.
        told: The message as the world is to hear of it, its version one higher; None if there is nothing to tell.
        kept: The message as it is to be kept; differs from `told` when its next step opens.
    """

    attempt: DeliveryState | None = None
    told: Notification | None = None
    kept: Notification | None = None


def further(one: DeliveryState, other: DeliveryState) -> DeliveryState:
    """Return the stronger evidence of the two."""
    return max(one, other, key=ORDER.index)


def apply(held: Notification, made: Made, report: Receipt, now: datetime) -> Effect:
    """Return what a report changes; nothing if it says less than what is held."""
    said = report.status.delivery_state
    if ORDER.index(said) < ORDER.index(made.delivery_state):
        return Effect()
    rose = said if said is not made.delivery_state else None
    told = _accepted(held, made, report, now)
    its_own = told.state is NotificationState.ACCEPTED and told.attempt_id == made.attempt_id
    lost = rose is DeliveryState.UNDELIVERED and its_own and told.delivery_state not in ARRIVED
    if lost or said in ARRIVED:
        told = replace(told, delivery_state=further(told.delivery_state, said))
    if told == held and not lost:
        return Effect(rose)
    told = replace(told, version=held.version + 1)
    return Effect(rose, told, (undelivered(told, made.attempt_id, now) or told) if lost else told)


def _accepted(held: Notification, made: Made, report: Receipt, now: datetime) -> Notification:
    """Return the message as the mere existence of the report leaves it: a carrier had taken it."""
    if held.attempt_id == made.attempt_id and held.state in {NotificationState.SENDING, NotificationState.UNKNOWN}:
        return settle(held, made.attempt_id, Accepted(report.reference or ""), now, 0.0) or held
    if held.state is NotificationState.ACCEPTED or report.status is Reported.UNDELIVERED:
        return held  # and what did not arrive is no reason to hold its chain back
    return replace(
        held,
        state=NotificationState.ACCEPTED,
        lane=made.channel,
        attempt_id=made.attempt_id,
        reason=None,
        accepted_at=held.accepted_at or now,
    )
