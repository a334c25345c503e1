"""The rarer events of the topic `reminders`, as the worker words them; plans and hand-overs: `planning/messages.py`."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any
from uuid import UUID

from reminders.planning.domain.schedule import Settled, Timer
from reminders.timers.ports import Source
from reminders.timers.row import Row
from schemas.instants import instant
from schemas.reminders import PlannedReminder, Reason, ReminderDeadLetter, RemindersCancelled, ReminderStatus
from schemas.wire import event_id, reminder_id

type Named = Sequence[tuple[str, bytes | None]]

LARGEST_CARRIED = 120_000
"""Bytes of a dead record that still fit, in base64, into one batch of the producer."""


def cancelled(appointment_id: UUID, row: Row, settled: Settled) -> RemindersCancelled | None:
    """Return what was due and will never leave, with TOO_LATE or SUPERSEDED (D15), or None if all of it leaves."""
    reminders = [
        *(_cancelled(appointment_id, row, timer, Reason.TOO_LATE) for timer in settled.too_late),
        *(_cancelled(appointment_id, row, timer, Reason.SUPERSEDED) for timer in settled.superseded),
    ]
    if not reminders:
        return None
    return RemindersCancelled(
        appointment_id=appointment_id,
        version=row.version,
        schedule_gen=row.generation,
        reminders=tuple(reminders),
        caused_by=str(event_id(appointment_id, row.version)),
        starts_at=instant(row.anchor),
    )


def withdrawn(appointment_id: UUID, row: Row, timers: Iterable[Timer], reason: Reason) -> RemindersCancelled:
    """Return the correction that takes back timers which should never have waited."""
    return RemindersCancelled(
        appointment_id=appointment_id,
        version=row.version,
        schedule_gen=row.generation,
        reminders=tuple(_cancelled(appointment_id, row, timer, reason) for timer in timers),
        caused_by=str(event_id(appointment_id, row.version)),
        starts_at=instant(row.anchor),
    )


def dead_letter(source: Source, code: str, message: str) -> ReminderDeadLetter:
    """Return a record that cannot be taken, whole, with its position and the reason (G8).

    One too large to be carried inside another is left where it is: `appointments` is kept for ever.
    """
    headers = [(name.encode("utf-8", "surrogateescape"), value) for name, value in source.headers]
    contents = (source.key, source.value, *chain.from_iterable(headers))
    carried = sum(len(part or b"") for part in contents)
    place = {"topic": source.topic, "partition": source.partition, "offset": source.offset, "code": code}
    if carried > LARGEST_CARRIED:
        return ReminderDeadLetter(message=f"{message} ({carried} bytes: read them at this position)", **place)
    return ReminderDeadLetter(
        message=message,
        key=_carried(source.key),
        value=_carried(source.value),
        **_headers(source.headers, headers),
        **place,
    )


def _headers(named: Named, exact: Sequence[tuple[bytes, bytes | None]]) -> dict[str, Any]:
    """Return the headers as names and values where that says all there is to them, else each as its bytes."""
    plain = {name: b64encode(value).decode() for name, value in named if value is not None}
    if len(plain) == len(named) and all(name.isascii() for name in plain):
        return {"headers": plain}
    return {"header_bytes": tuple((b64encode(name).decode(), _carried(value)) for name, value in exact)}


def _carried(content: bytes | None) -> str | None:
    return None if content is None else b64encode(content).decode()


def _cancelled(appointment_id: UUID, row: Row, timer: Timer, reason: Reason) -> PlannedReminder:
    return PlannedReminder(
        reminder_id=reminder_id(appointment_id, row.generation, timer.rule),
        rule=timer.rule,
        due=instant(timer.due),
        not_after=instant(timer.not_after),
        status=ReminderStatus.CANCELLED,
        reason=reason,
    )
