"""The ledger's rows: what is to be said to whom, and each call that may say it."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from notifier.gate.domain.chain import Step
from notifier.gate.domain.channels import Route
from notifier.gate.domain.decision import ORDINARY, Asked, Terms
from notifier.gate.domain.facts import Lack
from notifier.gate.domain.visit import Visit
from notifier.ledger.domain.faults import THROTTLED, Fault
from notifier.ledger.domain.states import NotificationState
from schemas.notifications import Channel, DeliveryState, Kind
from schemas.reminders import Reason


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one recipient slot.

    Attributes:
        kind: What it says, as of when it was last at the gate: of news, what brought its recipient up to date (D58).
        version: Rises with every outcome; 0 before the first.
        lane: The channel whose lane works on it; for an outcome, the channel used.
        not_after: No call may start later.
        next_attempt_at: Domain time from which it may be claimed.
        attempts: Calls that were begun, or may have been (R24, R25). A claim counts from its commit on, and no more
            once it is given back because its call never began.
        appointment_id: None for a provider's list of the day.
        clinic_id: Whose mode, hours and senders count, as of when it was last at the gate; None before that.
        ordinal: Above 0: a person sent it again.
        step_began_at: Domain time of the first claim on the present channel; None before it.
        step_attempts: Attempts on the present channel, counted like `attempts`.
        delivery_state: What is known of it after acceptance (D17).
        replaces: The visit whose place its visit takes, so that it is news of a move of which both hear (D37).
        recipient_id: Which patient or provider; None: whoever is the visit's when it leaves.
        said_starts_at: The start that it told, or may have told; None before it was first called for, and of earlier
            releases.
        said_at: Domain time of the call, or of the notice, that told it.
    """

    notification_id: UUID
    kind: Kind
    recipient: str
    appointment_id: UUID | None
    schedule_gen: int
    reminder_id: UUID | None
    caused_by: str
    state: NotificationState
    lane: Channel | None
    not_after: datetime | None
    next_attempt_at: datetime
    version: int = 0
    attempts: int = 0
    attempt_id: UUID | None = None
    reason: Reason | None = None
    clinic_id: str | None = None
    ordinal: int = 0
    steps: tuple[Step, ...] = ()
    step_began_at: datetime | None = None
    step_attempts: int = 0
    accepted_at: datetime | None = None
    delivery_state: DeliveryState = DeliveryState.UNKNOWN
    replaces: UUID | None = None
    recipient_id: UUID | None = None
    said_starts_at: datetime | None = None
    said_at: datetime | None = None

    @property
    def asked(self) -> Asked:
        """What the gate needs to know of it."""
        return Asked(self.kind, self.schedule_gen, self.not_after, self.steps, self.ordinal > 0)

    def but(self, **changes: Any) -> "Notification":
        """Return it with these fields changed: `dataclasses.replace` at a third of its price, for whole batches."""
        made = object.__new__(Notification)
        for get, put in _SLOTS:
            put(made, get(self))
        for name, value in changes.items():
            _PUT[name](made, value)
        return made


_PUT = {field.name: getattr(Notification, field.name).__set__ for field in fields(Notification)}
_SLOTS = [(getattr(Notification, name).__get__, put) for name, put in _PUT.items()]


class UnreadableRow(Exception):
    """A row of the ledger that this version cannot read; its cause says why, and nothing of the row is in it."""

    def __init__(self, notification_id: UUID) -> None:
        super().__init__(f"the message {notification_id} cannot be read")
        self.notification_id = notification_id


type Row = Notification | UnreadableRow


@dataclass(frozen=True, slots=True)
class Call:
    """A call to a carrier, authorised by the gate and written down before it is made.

    Attributes:
        attempt_id: Our reference at the carrier, of this one claim: two that never heard of each other share none.
        arrives_by: Until when the patient may get it; `not_after`, or the end of the hours if that is sooner.
        gated_on: Monotonic machine time of this process when the gate was read, in seconds.
        kind: What it says; a moved notice says confirmation where none was accepted before.
        code: With it a patient's answer confirms or cancels the visit (B11); empty if the clinic reads no answers.
        replaced: The visit whose place this one takes, as its patient has to see it; his calendar may have it (D37).
        also: Calls about other visits that are made by this one: the same news to the same person (decision 0050).
        lacks: What the visit lacks to be checked in, of a notice of it.
        with_attempt: The attempt by which the carrier knows it, if it is another call's: that one is made for both.
    """

    notification_id: UUID
    attempt_id: UUID
    kind: Kind
    route: Route
    visit: Visit
    not_after: datetime
    arrives_by: datetime
    gated_on: float
    at: datetime
    terms: Terms = ORDINARY
    preference_version: int | None = None
    code: str = ""
    account: str = ""
    replaced: Visit | None = None
    also: tuple["Call", ...] = ()
    with_attempt: UUID | None = None
    lacks: tuple[Lack, ...] = ()

    @property
    def every(self) -> "tuple[Call, ...]":
        """The call, and those that are made by it."""
        return self, *self.also


@dataclass(frozen=True, slots=True)
class Accepted:
    """The carrier has it. `reference` is the carrier's own id of the message."""

    reference: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The carrier refused it for good; `code` says how, without personal data."""

    code: str


NO_TEMPLATE, CANNOT_COMPOSE = "NO_TEMPLATE", "CANNOT_COMPOSE"
"""Codes of a `Rejected` for which no carrier was asked: the channel has no words for it, or they were not written."""


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """The carrier certainly does not have it, and may take it later; `fault` says why not now."""

    code: str
    retry_after: timedelta | None = None
    fault: Fault = Fault.CARRIER


@dataclass(frozen=True, slots=True)
class Unsure:
    """The request left and no readable answer came: the carrier may have it."""

    code: str


@dataclass(frozen=True, slots=True)
class NotStarted:
    """The gate had gone stale before the call began: nothing left this process."""


def refused(fault: Fault, code: str, retry_after: timedelta | None = None) -> "Rejected | NotAccepted":
    """Return the answer that a refusal is; `code` says which, without personal data."""
    if fault is Fault.MESSAGE:
        return Rejected(code)
    if fault is Fault.THROTTLE:
        retry_after = retry_after or THROTTLED
    return NotAccepted(code, retry_after, fault)


CarrierResult = Accepted | Rejected | NotAccepted | Unsure | NotStarted
"""What became of one call."""
