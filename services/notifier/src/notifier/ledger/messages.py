"""From outcomes to events of the topic `notifications`."""

from datetime import datetime
from uuid import UUID

import orjson

from chassis.delivery.high_water import Owned
from chassis.outbox.writer import Outgoing
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.states import outcome_of
from schemas.envelope import Envelope
from schemas.notifications import NOTIFICATION_CHANGED
from schemas.topics import NOTIFICATIONS
from schemas.wire import derived_text

SOURCE = "attend/notifier"

OWNED = (
    Owned(
        NOTIFICATIONS,
        "notification_id",
        UUID,
        "SELECT notification_id::text, version FROM notification WHERE notification_id = ANY ($1::uuid[])",
    ),
)
"""The notifier's own versions. A ledger that does not know a message which was accepted would have it sent again."""


def notification_changed(held: Notification, now: datetime) -> Outgoing:
    """Return the event of this outcome; the same version always has the same id.

    The body is `schemas.notifications.NotificationChanged`, written by hand: a fifth of what the model costs,
    for each of the outcomes of a batch.
    """
    notification, appointment = str(held.notification_id), str(held.appointment_id)
    outcome = outcome_of(held.state)
    if outcome is None:
        raise ValueError("a message that is still worked on has no outcome to tell of")
    body: dict[str, object] = {
        "notification_id": notification,
        "version": held.version,
        "appointment_id": appointment,
        "schedule_gen": held.schedule_gen,
        "kind": held.kind,
        "recipient": held.recipient,
        **({} if held.reminder_id is None else {"reminder_id": str(held.reminder_id)}),
        "outcome": outcome,
        **({} if held.lane is None else {"channel": held.lane}),
        **({} if held.reason is None else {"reason": held.reason}),
        "delivery_state": held.delivery_state,
        "at": now,
        "attempts": held.attempts,
        "caused_by": held.caused_by,
    }
    value = orjson.dumps(body, option=orjson.OPT_UTC_Z)
    event_id = derived_text(f'["notification-event","{notification}",{held.version}]')
    envelope = Envelope(event_id, NOTIFICATION_CHANGED, SOURCE, notification, now)
    return Outgoing(NOTIFICATIONS, appointment, envelope, value)
