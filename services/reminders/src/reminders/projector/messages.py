"""From Kafka records to what the projector's story reads."""

from datetime import datetime

from aiokafka import ConsumerRecord

from reminders.projector.handle import PublishedEvent
from schemas.model import Contract
from schemas.notifications import NOTIFICATION_CHANGED, NotificationChanged
from schemas.reminders import (
    CLINIC_DAY_DUE,
    REMINDER_DEAD_LETTER,
    REMINDER_DUE,
    REMINDERS_CANCELLED,
    REMINDERS_PLANNED,
    ClinicDayDue,
    ReminderDeadLetter,
    ReminderDue,
    RemindersCancelled,
    RemindersPlanned,
)
from schemas.wire import Undecodable, decode_typed

type Record = ConsumerRecord[bytes, bytes]

_REMINDERS: dict[str, type[Contract]] = {
    REMINDERS_PLANNED: RemindersPlanned,
    REMINDERS_CANCELLED: RemindersCancelled,
    REMINDER_DUE: ReminderDue,
    CLINIC_DAY_DUE: ClinicDayDue,
    REMINDER_DEAD_LETTER: ReminderDeadLetter,
}
_NOTIFICATIONS: dict[str, type[Contract]] = {NOTIFICATION_CHANGED: NotificationChanged}


def reminder_event(record: Record) -> PublishedEvent:
    """Return an event of the topic `reminders`.

    Raises:
        Undecodable: As `schemas.wire.decode_typed`; INVALID without a readable `ce_time`.
    """
    body = decode_typed(_REMINDERS, tuple(record.headers), record.value)
    assert isinstance(body, RemindersPlanned | RemindersCancelled | ReminderDue | ClinicDayDue | ReminderDeadLetter)  # noqa: S101  # the table's models
    return PublishedEvent(body, event_time(record), _id(record))


def notification_event(record: Record) -> PublishedEvent:
    """Return an event of the topic `notifications`."""
    body = decode_typed(_NOTIFICATIONS, tuple(record.headers), record.value)
    assert isinstance(body, NotificationChanged)  # noqa: S101  # the only model in the table
    return PublishedEvent(body, body.at, _id(record))


def _header(record: Record, wanted: str) -> str | None:
    found = (value for name, value in record.headers if name == wanted and value is not None)
    return next((value.decode("ascii", "replace") for value in found), None)


def _id(record: Record) -> str:
    """Return the event's id, or its position if the writer gave none."""
    return _header(record, "ce_id") or f"{record.topic}/{record.partition}/{record.offset}"


def event_time(record: Record) -> datetime:
    """Return the domain time in a record's headers."""
    try:
        at = datetime.fromisoformat(_header(record, "ce_time") or "")
    except ValueError:
        raise Undecodable("INVALID", "ce_time: not a time") from None
    if at.tzinfo is None:
        raise Undecodable("INVALID", "ce_time: without an offset")
    return at
