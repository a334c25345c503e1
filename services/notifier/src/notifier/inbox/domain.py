"""What goes into an inbox: a notice about one visit, or the list of a day."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from notifier.gate.domain.visit import Visit
from notifier.ledger.domain.notification import Notification


@dataclass(frozen=True, slots=True)
class DayList:
    """A provider's visits of one day at one clinic, soonest first."""

    notification: Notification
    provider_id: UUID
    day: date
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """A provider's in-app notice: what it says is the visit as the gate gave it."""

    notification: Notification
    visit: Visit
