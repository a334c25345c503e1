"""What a command is answered over HTTP, whatever format it came in."""

from collections.abc import Sequence
from typing import Any

from booking.appointments.domain.batch import EventAnswer
from booking.door.bodies import problem, refused_members
from booking.values.warned import Warned


def single(answer: EventAnswer) -> dict[str, Any]:
    """Return the answer to one event."""
    if answer.refusal is not None:
        raise problem(answer.refusal)
    return _members(answer)


def batch(answers: Sequence[EventAnswer], warnings: Sequence[Warned] = ()) -> dict[str, Any]:
    """Return the answer to a batch: each event's own, with the status that it would have alone.

    Args:
        warnings: What is said of what was around the events.
    """
    said = {"warnings": [warned.members for warned in warnings]} if warnings else {}
    return {"results": [_item(answer) for answer in answers], **said}


def _item(answer: EventAnswer) -> dict[str, Any]:
    if answer.refusal is None:
        return {"status": 200, **_members(answer)}
    named = {"event_id": answer.key} if answer.key else {}
    return {**named, **refused_members(answer.refusal)}


def _members(answer: EventAnswer) -> dict[str, Any]:
    if answer.told is not None:
        return {"result": "told", "warnings": [warned.members for warned in answer.told]}
    assert answer.recorded is not None and answer.result is not None  # noqa: S101, PT018  # taken, not refused
    cancelled = {"reminders_cancelled": answer.reminders_cancelled} if answer.reminders_cancelled is not None else {}
    again = {"original_result": answer.recorded.result.value} if answer.result is not answer.recorded.result else {}
    return {
        "event_id": answer.key,
        "appointment_id": str(answer.recorded.appointment_id),
        "version": answer.recorded.version,
        "result": answer.result.value,
        **again,
        **cancelled,
        "warnings": [warned.members for warned in answer.warnings],
    }
