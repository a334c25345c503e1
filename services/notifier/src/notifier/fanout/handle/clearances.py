"""What the topic `clearances` leads to: a message for each visit that is near and lacks something (R34)."""

from collections.abc import Sequence
from datetime import datetime

from chassis.delivery.consumer import Applied
from notifier.fanout.handle.entry import EntryStore, enter, look_in_turn, unknown
from notifier.gate.domain.modes import SendingMode
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.states import NotificationState
from notifier.values.kinds import PATIENT
from schemas.clearance_notices import ClearanceMissing
from schemas.notifications import Kind
from schemas.wire import notification_id


async def on_missing(
    store: EntryStore, events: Sequence[ClearanceMissing], sending: SendingMode, now: datetime
) -> Applied:
    """Turn each into one message, that leaves while something is missing. A repeat changes nothing.

    Its id is of the visit, its schedule and how many days before it is.
    """
    asked = [_message(event, now) for event in events]
    new = await unknown(store, asked)
    if new:
        about = {one.appointment_id for one in new if one.appointment_id}
        await enter(store, new, sending, now, await look_in_turn(store, about))
    fresh = {one.notification_id for one in new}
    repeat = []
    for place, one in enumerate(asked):
        if one.notification_id not in fresh:
            repeat.append(place)
        fresh.discard(one.notification_id)
    return Applied(repeat=repeat)


def _message(missing: ClearanceMissing, now: datetime) -> Notification:
    cause = (missing.appointment_id, missing.schedule_gen, missing.days)
    return Notification(
        notification_id=notification_id(cause, PATIENT, Kind.CLEARANCE_MISSING),
        kind=Kind.CLEARANCE_MISSING,
        recipient=PATIENT,
        appointment_id=missing.appointment_id,
        clinic_id=missing.clinic_id,
        schedule_gen=missing.schedule_gen,
        reminder_id=None,
        caused_by=missing.caused_by,
        state=NotificationState.QUEUED,
        lane=None,
        not_after=missing.not_after,
        next_attempt_at=now,
    )
