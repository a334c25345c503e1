"""The event of an outcome, written by hand, is the contract's to the byte."""

from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from notifier.ledger.domain.states import NotificationState, outcome_of
from notifier.ledger.messages import notification_changed
from schemas.notifications import Channel, DeliveryState, Kind, NotificationChanged
from schemas.reminders import Reason
from schemas.wire import decode, derived_id, encode
from tests.support.notifier.builders import NOW, notification

INSTANTS = (NOW, datetime(2027, 3, 28, 1, 2, 3, 456789, UTC), datetime(2027, 12, 31, 23, 59, 59, 100, UTC))
STATES = (NotificationState.ACCEPTED, NotificationState.FAILED, NotificationState.SKIPPED, NotificationState.UNKNOWN)


@pytest.mark.parametrize(
    ("state", "kind", "reminder", "channel", "reason", "at"),
    list(product(STATES, (Kind.REMINDER, Kind.PROVIDER_MOVED), (None, UUID(int=7)), (None, *Channel),
                 (None, Reason.ALREADY_TOLD), INSTANTS)),
)  # fmt: skip
def test_it_is_what_the_contract_would_write(
    state: NotificationState,
    kind: Kind,
    reminder: UUID | None,
    channel: Channel | None,
    reason: Reason | None,
    at: datetime,
) -> None:
    held = notification(
        state=state, kind=kind, reminder_id=reminder, lane=channel, reason=reason, version=3, attempts=2,
        delivery_state=DeliveryState.DELIVERED,
    )  # fmt: skip

    event = notification_changed(held, at)

    contract: dict[str, Any] = {
        "notification_id": held.notification_id, "version": 3, "appointment_id": held.appointment_id,
        "schedule_gen": held.schedule_gen, "kind": kind, "recipient": held.recipient, "reminder_id": reminder,
        "outcome": outcome_of(state), "channel": channel, "reason": reason, "delivery_state": DeliveryState.DELIVERED,
        "at": at, "attempts": 2, "caused_by": held.caused_by,
    }  # fmt: skip
    assert event.value == encode(NotificationChanged.model_validate(contract))
    assert decode(NotificationChanged, event.value).at == at
    assert event.envelope.id == str(derived_id("notification-event", held.notification_id, 3))


@pytest.mark.parametrize("state", [NotificationState.QUEUED, NotificationState.SENDING])
def test_what_has_no_outcome_is_no_event(state: NotificationState) -> None:
    with pytest.raises(ValueError, match="no outcome"):
        notification_changed(notification(state=state), NOW)
