"""The order of reminder statuses: SCHEDULED < CANCELLED < FAILED < SENT (R13, design §5); and of what came after."""

from schemas.notifications import DeliveryState
from schemas.reminders import ReminderStatus

_RANK = {
    ReminderStatus.SCHEDULED: 0,
    ReminderStatus.CANCELLED: 1,
    ReminderStatus.FAILED: 2,
    ReminderStatus.SENT: 3,
}


def rises(held: ReminderStatus, arriving: ReminderStatus) -> bool:
    """Return whether `arriving` is above `held`: only then is anything changed."""
    return _RANK[arriving] > _RANK[held]


_EVIDENCE = {state.value: rank for rank, state in enumerate(DeliveryState)}


def further(held: str | None, arriving: DeliveryState) -> str:
    """Return the stronger evidence of the two: unknown < undelivered < delivered < read (D17).

    Args:
        held: A delivery state, or None before any carrier took the message.
    """
    return held if held is not None and _EVIDENCE[held] >= _EVIDENCE[arriving.value] else arriving.value
