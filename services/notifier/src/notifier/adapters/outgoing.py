"""From outcomes to events of the topic `notifications`."""

from datetime import datetime

from chassis.outbox import Outgoing
from notifier.domain.ledger import Notification
from notifier.domain.states import outcome_of
from schemas.envelope import Envelope
from schemas.notifications import NOTIFICATION_CHANGED, NotificationChanged
from schemas.topics import NOTIFICATIONS
from schemas.wire import derived_id, encode

SOURCE = "attend/notifier"


def notification_changed(held: Notification, now: datetime) -> Outgoing:
    """Return the event of this outcome; the same version always has the same id.

    Args:
        held: A notification with an outcome.
        now: Domain time of the outcome.
    """
    body = NotificationChanged.model_validate(
        {
            "notification_id": held.notification_id,
            "version": held.version,
            "appointment_id": held.appointment_id,
            "schedule_gen": held.schedule_gen,
            "kind": held.kind,
            "recipient": held.recipient,
            "reminder_id": held.reminder_id,
            "outcome": outcome_of(held.state),
            "channel": held.lane,
            "reason": held.reason,
            "delivery_state": held.delivery_state,
            "at": now,
            "attempts": held.attempts,
            "caused_by": held.caused_by,
        }
    )
    event_id = str(derived_id("notification-event", held.notification_id, held.version))
    key = str(held.appointment_id)
    envelope = Envelope(event_id, NOTIFICATION_CHANGED, SOURCE, str(held.notification_id), now)
    return Outgoing(NOTIFICATIONS, key, envelope, encode(body))
