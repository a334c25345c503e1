"""The order of reminder statuses: SCHEDULED < CANCELLED < FAILED < SENT (R13, design §5)."""

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


def join(first: ReminderStatus, second: ReminderStatus) -> ReminderStatus:
    """Return the higher of the two: the same in whatever order and however often they come."""
    return second if rises(first, second) else first
